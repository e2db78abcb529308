//! Connections to ports of the pod.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::rig::Outcome;
use super::rig::api::connect_port_request::Message as Ask;
use super::rig::api::connect_port_response::Message as Answer;
use super::rig::api::*;
use super::rig::client::Client;
use super::{boot, run, shell, written};

struct Connection {
    requests: mpsc::Sender<ConnectPortRequest>,
    answers: Streaming<ConnectPortResponse>,
}

impl Connection {
    async fn open(client: &mut Client, port: u32) -> Outcome<Self> {
        let (requests, stream) = mpsc::channel(4);
        requests.send(ConnectPortRequest { message: Some(Ask::Port(port)) }).await?;
        let mut answers = client.connect_port(ReceiverStream::new(stream)).await?.into_inner();
        match answers.message().await? {
            Some(ConnectPortResponse { message: Some(Answer::Connected(true)) }) => Ok(Self { requests, answers }),
            other => Err(format!("not a connection: {other:?}").into()),
        }
    }

    async fn send(&self, data: Vec<u8>) -> Outcome {
        Ok(self.requests.send(ConnectPortRequest { message: Some(Ask::Data(data.into())) }).await?)
    }

    /// All that comes until the program's end.
    async fn receive(&mut self) -> Outcome<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(answer) = self.answers.message().await? {
            match answer.message {
                Some(Answer::Data(data)) => all.extend_from_slice(&data),
                Some(Answer::End(true)) => return Ok(all),
                other => return Err(format!("neither data nor their end: {other:?}").into()),
            }
        }
        Err("no end".into())
    }
}

async fn listener(client: &mut Client, id: &str, script: &str) -> Outcome {
    run(client, shell(id, &format!("{script} & sleep 0.3; while ! netstat -ltn | grep -q LISTEN; do sleep 0.1; done; echo up; wait")))
        .await?;
    written(client, id, "up").await
}

fn refusal<T>(result: Outcome<T>) -> Option<Status> {
    result.err()?.downcast::<Status>().ok().map(|status| *status)
}

#[tokio::test]
async fn ports_of_either_family_are_reached_and_each_direction_ends_alone() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    listener(client, "four", "httpd -f -p 127.0.0.1:7004 -h /etc").await?;
    listener(client, "six", "httpd -f -p [::1]:7006 -h /etc").await?;
    for port in [7004, 7006] {
        let mut connection = Connection::open(client, port).await?;
        connection.send(b"GET /release HTTP/1.0\r\n\r\n".to_vec()).await?;
        let Connection { requests, answers } = connection;
        // what it has asked for it still receives
        drop(requests);
        connection = Connection { requests: mpsc::channel(1).0, answers };
        let answer = connection.receive().await?;
        assert!(answer.ends_with(b"upper\n"), "{}", String::from_utf8_lossy(&answer));
    }

    let unused = refusal(Connection::open(client, 7999).await).ok_or("a connection to nobody")?;
    assert_eq!(unused.code(), Code::FailedPrecondition);
    assert!(unused.message().contains("port 7999") && unused.message().contains("connection refused"), "{unused}");
    assert_eq!(refusal(Connection::open(client, 0).await).map(|s| s.code()), Some(Code::InvalidArgument));
    assert_eq!(refusal(Connection::open(client, 65_536).await).map(|s| s.code()), Some(Code::InvalidArgument));
    Ok(())
}

#[tokio::test]
async fn much_data_passes_both_ways_on_many_connections_while_one_is_not_read() -> Outcome {
    const SIZE: usize = 4 << 20;
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    listener(client, "echo", "nc -ll -p 7000 -e cat").await?;
    listener(client, "flood", "nc -ll -p 7777 -e yes").await?;
    let stalled = Connection::open(client, 7777).await?;
    let mut tasks = Vec::new();
    for number in 0..4u8 {
        let Connection { requests, answers } = Connection::open(client, 7000).await?;
        let sender = tokio::spawn(async move {
            for _ in 0..SIZE / (32 << 10) {
                let _ = requests.send(ConnectPortRequest { message: Some(Ask::Data(vec![number; 32 << 10].into())) }).await;
            }
        });
        let mut receiver = Connection { requests: mpsc::channel(1).0, answers };
        tasks.push((number, sender, tokio::spawn(async move { receiver.receive().await })));
    }
    for (number, sender, receiver) in tasks {
        sender.await?;
        let data = receiver.await??;
        assert_eq!(data.len(), SIZE);
        assert!(data.iter().all(|byte| *byte == number));
    }
    drop(stalled);
    Ok(())
}
