//! How many of the machine's vCPUs run.

use std::fs;

use crate::api::AdjustVcpusRequest;
use crate::error::{Doing, Error, Kind, Result};

const DIRECTORY: &str = "/sys/devices/system/cpu";

/// Returns how many are online then. Starting one takes a while, so this is for a thread of its own.
pub fn adjust(request: AdjustVcpusRequest) -> Result<u32> {
    let online = numbers("online")?;
    let present = numbers("present")?;
    let count = |list: &[u32]| u32::try_from(list.len()).unwrap_or(u32::MAX);
    if request.least > count(&present) {
        let message = format!("least: {} vCPUs are wanted and the machine has {}", request.least, present.len());
        return Err(Error::new(Kind::Exhausted, message));
    }
    if request.most > 0 && request.least > request.most {
        return Err(Error::invalid(format!("least: {} is more than most, {}", request.least, request.most)));
    }
    let (wake, rest) = change(&online, &present, request);
    for number in wake {
        set(number, true)?;
    }
    for number in rest {
        set(number, false)?;
    }
    Ok(count(&numbers("online")?))
}

/// Which to start and which to stop: the lowest numbers run.
fn change(online: &[u32], present: &[u32], AdjustVcpusRequest { least, most }: AdjustVcpusRequest) -> (Vec<u32>, Vec<u32>) {
    let (least, most) = (least as usize, if most == 0 { usize::MAX } else { most as usize });
    let offline = present.iter().filter(|number| !online.contains(number)).copied();
    let wake = offline.take(least.saturating_sub(online.len())).collect();
    let rest = online.iter().skip(1).rev().take(online.len().saturating_sub(most)).copied().collect();
    (wake, rest)
}

fn set(number: u32, online: bool) -> Result<()> {
    let file = format!("{DIRECTORY}/cpu{number}/online");
    fs::write(&file, if online { "1" } else { "0" }).doing(|| format!("take vCPU {number} {}", if online { "online" } else { "offline" }))
}

fn numbers(file: &str) -> Result<Vec<u32>> {
    let path = format!("{DIRECTORY}/{file}");
    parse(&fs::read_to_string(&path).doing(|| format!("read {path}"))?)
}

/// The kernel's lists: "0-2,5".
fn parse(list: &str) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for range in list.trim().split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.parse::<u32>().doing(|| format!("read the list of vCPUs {list:?}"));
        numbers.extend(number(first)?..=number(last)?);
    }
    Ok(numbers)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_kernel_are_ranges_and_numbers() {
        assert_eq!(parse("0-2,5\n").unwrap(), [0, 1, 2, 5]);
        assert!(parse("\n").unwrap().is_empty());
        assert!(parse("x").is_err());
    }

    #[test]
    fn the_lowest_numbers_run_and_the_first_always() {
        let ask = |least, most| change(&[0, 1], &[0, 1, 2, 3], AdjustVcpusRequest { least, most });
        assert_eq!(ask(3, 0), (vec![2], vec![]));
        assert_eq!(ask(0, 1), (vec![], vec![1]));
        assert_eq!(ask(0, 0), (vec![], vec![]));
        assert_eq!(ask(2, 2), (vec![], vec![]));
        assert_eq!(change(&[0], &[0], AdjustVcpusRequest { least: 0, most: 0 }).1, Vec::<u32>::new());
    }
}
