//! The few fields of FUSE messages that the pipe looks at (linux/fuse.h; little-endian as all guests are).

/// `struct fuse_in_header`.
const REQUEST_HEADER: usize = 40;
/// `struct fuse_out_header`: length, error, number.
const ANSWER_HEADER: usize = 16;

pub const EINTR: i32 = 4;
pub const EIO: i32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Nobody waits for an answer.
    Forget,
    /// The one who waits for the answer to this number was sent a signal.
    Interrupt(u64),
    /// To be answered under this number.
    Call(u64),
}

/// None for what is no request; the kernel sends no such thing.
pub fn request(bytes: &[u8]) -> Option<Request> {
    const FORGET: u32 = 2;
    const INTERRUPT: u32 = 36;
    const BATCH_FORGET: u32 = 42;
    if bytes.len() < REQUEST_HEADER {
        return None;
    }
    match number32(bytes, 4)? {
        FORGET | BATCH_FORGET => Some(Request::Forget),
        INTERRUPT => Some(Request::Interrupt(number64(bytes, REQUEST_HEADER)?)),
        _ => Some(Request::Call(number64(bytes, 8)?)),
    }
}

/// The number that an answer is for. None for what the kernel would refuse, and for notifications: they wait for locks whose
/// holders may wait for answers.
pub fn answers(bytes: &[u8]) -> Option<u64> {
    let length = usize::try_from(number32(bytes, 0)?).ok()?;
    let unique = number64(bytes, 8)?;
    (length == bytes.len() && length >= ANSWER_HEADER && unique != 0).then_some(unique)
}

pub fn error(unique: u64, errno: i32) -> [u8; ANSWER_HEADER] {
    let mut answer = [0; ANSWER_HEADER];
    answer[0..4].copy_from_slice(&16u32.to_le_bytes());
    answer[4..8].copy_from_slice(&(-errno).to_le_bytes());
    answer[8..16].copy_from_slice(&unique.to_le_bytes());
    answer
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn call(opcode: u32, unique: u64, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; REQUEST_HEADER];
        bytes[4..8].copy_from_slice(&opcode.to_le_bytes());
        bytes[8..16].copy_from_slice(&unique.to_le_bytes());
        bytes.extend_from_slice(body);
        let length = u32::try_from(bytes.len()).unwrap_or(0);
        bytes[0..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn requests_are_told_apart_by_what_they_wait_for() {
        assert_eq!(request(&call(1, 8, b"name\0")), Some(Request::Call(8)));
        assert_eq!(request(&call(2, 10, &[0; 8])), Some(Request::Forget));
        assert_eq!(request(&call(42, 12, &[0; 8])), Some(Request::Forget));
        assert_eq!(request(&call(36, 9, &8u64.to_le_bytes())), Some(Request::Interrupt(8)));
    }

    #[test]
    fn what_is_too_short_is_no_message() {
        assert_eq!(request(&[0; 39]), None);
        assert_eq!(request(&call(36, 9, &[])), None);
        assert_eq!(answers(&[0; 15]), None);
    }

    #[test]
    fn an_answer_of_a_wrong_length_and_a_notification_are_refused() {
        let mut answer = error(8, EIO);
        assert_eq!(answers(&answer), Some(8));
        answer[0] = 17;
        assert_eq!(answers(&answer), None);
        assert_eq!(answers(&error(0, EIO)), None);
    }
}
