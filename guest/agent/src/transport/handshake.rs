//! Finds where the daemon's stream begins among bytes that an earlier connection may have left behind.

const GREETING: &[u8] = b"PODVM1 ";
const DIGITS: usize = 32;
const LINE: usize = GREETING.len() + DIGITS + 1;
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Answer with this line.
    Answer(Vec<u8>),
    /// HTTP/2 begins; these bytes of it are already here.
    Http2(Vec<u8>),
    /// More bytes are needed.
    Nothing,
}

/// Fed with whatever arrives; asked until it says [`Found::Nothing`].
#[derive(Default)]
pub struct Scanner {
    bytes: Vec<u8>,
    /// The preface counts only right behind a line: elsewhere it may be left over from another connection.
    after_line: bool,
}

impl Scanner {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn next(&mut self) -> Found {
        let mut at = 0;
        let found = loop {
            let rest = &self.bytes[at..];
            if rest.len() >= LINE && is_line(&rest[..LINE]) {
                let mut answer = b"PODVM1 OK ".to_vec();
                answer.extend_from_slice(&rest[GREETING.len()..LINE]);
                self.after_line = true;
                at += LINE;
                break Found::Answer(answer);
            }
            if self.after_line && rest.starts_with(PREFACE) {
                let http2 = rest.to_vec();
                at = self.bytes.len();
                self.after_line = false;
                break Found::Http2(http2);
            }
            let may_grow = begins_line(rest) || (self.after_line && PREFACE.starts_with(rest));
            if rest.is_empty() || may_grow {
                break Found::Nothing;
            }
            self.after_line = false;
            at += 1;
        };
        self.bytes.drain(..at);
        found
    }
}

/// Whether these bytes are one whole line and nothing else: what the daemon sends to begin anew.
pub fn is_line(bytes: &[u8]) -> bool {
    bytes.len() == LINE && begins_line(bytes)
}

/// Whether these bytes are the beginning of a line, or a whole one.
fn begins_line(bytes: &[u8]) -> bool {
    bytes.len() <= LINE
        && bytes.iter().enumerate().all(|(i, &byte)| match GREETING.get(i) {
            Some(&expected) => byte == expected,
            None if i == LINE - 1 => byte == b'\n',
            None => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"PODVM1 0123456789abcdef0123456789abcdef\n";
    const TWO: &[u8] = b"PODVM1 ffffffffffffffffffffffffffffffff\n";

    fn answers(scanner: &mut Scanner) -> Vec<Found> {
        let mut all = Vec::new();
        loop {
            match scanner.next() {
                Found::Nothing => return all,
                found => all.push(found),
            }
        }
    }

    #[test]
    fn every_line_is_answered_with_its_digits() {
        let mut scanner = Scanner::default();
        scanner.feed(&[ONE, TWO].concat());
        let expected = [b"PODVM1 OK 0123456789abcdef0123456789abcdef\n", b"PODVM1 OK ffffffffffffffffffffffffffffffff\n"];
        assert_eq!(answers(&mut scanner), expected.map(|e| Found::Answer(e.to_vec())));
    }

    #[test]
    fn a_line_is_found_behind_garbage_and_in_pieces() {
        let mut scanner = Scanner::default();
        for byte in [b"PODVM1 01PODVM\x00PRI * HTTP/2.0".as_slice(), ONE].concat() {
            let found = scanner.next();
            assert_eq!(found, Found::Nothing);
            scanner.feed(&[byte]);
        }
        assert!(matches!(scanner.next(), Found::Answer(_)));
    }

    #[test]
    fn the_preface_counts_only_right_behind_a_line() {
        let mut scanner = Scanner::default();
        scanner.feed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        assert!(answers(&mut scanner).is_empty());
        scanner.feed(ONE);
        scanner.feed(b"xPRI * HTTP/2.0");
        assert_eq!(answers(&mut scanner).len(), 1);
        scanner.feed(TWO);
        scanner.feed(b"PRI * HT");
        assert_eq!(answers(&mut scanner).len(), 1);
        scanner.feed(b"TP/2.0\r\n");
        assert_eq!(scanner.next(), Found::Http2(b"PRI * HTTP/2.0\r\n".to_vec()));
    }

    #[test]
    fn garbage_does_not_pile_up() {
        let mut scanner = Scanner::default();
        for _ in 0..1000 {
            scanner.feed(&[b'P'; 100]);
            assert_eq!(scanner.next(), Found::Nothing);
            assert!(scanner.bytes.len() < LINE);
        }
    }
}
