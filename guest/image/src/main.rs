//! The command that set-up calls; it prints the folder that holds the guest's files.

use std::path::PathBuf;
use std::process::ExitCode;

use podvm_guest_image::{Inputs, Problem, Result, build};

const USAGE: &str = "podvm-guest-image KERNEL-FOLDER KERNEL-PACKAGE AGENT BARE-INIT INTO-FOLDER";

fn main() -> ExitCode {
    match inputs().and_then(|inputs| build(&inputs)) {
        Ok(folder) => {
            println!("{}", folder.display());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("podvm-guest-image: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn inputs() -> Result<Inputs> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Ok([kernel, kernel_package, agent, bare, into]) = <[String; 5]>::try_from(words) else {
        return Err(Problem::new("five words are needed", format!("call {USAGE}")));
    };
    let program = std::env::current_exe().map_err(|cause| Problem::new(format!("cannot find this program ({cause})"), "mount /proc"))?;
    let path = PathBuf::from;
    Ok(Inputs { kernel: path(kernel), kernel_package, agent: path(agent), bare: path(bare), program, into: path(into) })
}
