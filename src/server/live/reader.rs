//! Reads the frames of a WebSocket as a server does (RFC 6455, section 5), without input or output: bytes in,
//! events out, and however the bytes were cut, the same events.
//!
//! Knows no extension, so every reserved bit is an error. Holds memory only while a frame or a message is incomplete, which
//! is why it is our own: libraries keep a buffer for each connection. *Runs: server.*

use super::frame::{FIN, MASKED, Opcode, RESERVED, SHORT};

/// What a peer has sent completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A frame of a message that goes on.
    Part,
    /// A text.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, to be answered with the same payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The closing handshake begins, or is answered: the close code, where one was sent. Whatever comes after it counts for
    /// nothing.
    Close(Option<u16>),
}

/// What a peer did wrong; nothing after it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame that may not be (1002).
    Protocol,
    /// A text or a close reason that is not UTF-8 (1007).
    NotText,
    /// A message beyond the limit (1009).
    TooBig,
}

/// Reads the frames of one peer.
#[derive(Default)]
pub struct Reader {
    unfinished: Option<Box<Unfinished>>,
}

impl Reader {
    /// Takes bytes from the front of `input` until an event is complete; `None` when the input is used up before that.
    /// A message of more than `limit` bytes is a fault as soon as a header says so.
    ///
    /// # Errors
    /// With what the peer did wrong. Nothing may be read after that.
    pub fn next(&mut self, input: &mut &[u8], limit: usize) -> Result<Option<Event>, Fault> {
        if input.is_empty() {
            return Ok(None);
        }
        let unfinished = self.unfinished.get_or_insert_default();
        let event = unfinished.advance(input, limit)?;
        if event.is_some() && unfinished.message.is_none() {
            self.unfinished = None;
        }
        Ok(event)
    }

    /// Whether nothing is incomplete, and so nothing kept.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.unfinished.is_none()
    }
}

/// What is incomplete.
#[derive(Default)]
struct Unfinished {
    /// The first bytes of a frame, while its header is incomplete.
    header: [u8; 14],
    header_bytes: u8,
    frame: Option<Frame>,
    /// The payload of the control frame that has begun.
    control: Vec<u8>,
    /// The data message that has begun; control frames may come between its parts.
    message: Option<Message>,
}

struct Frame {
    is_final: bool,
    opcode: Opcode,
    mask: [u8; 4],
    length: usize,
    /// How much of the payload has been read.
    read: usize,
}

struct Message {
    is_text: bool,
    bytes: Vec<u8>,
    /// How many of the bytes are known to be UTF-8, so that each is looked at once.
    checked: usize,
}

impl Unfinished {
    fn advance(&mut self, input: &mut &[u8], limit: usize) -> Result<Option<Event>, Fault> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = input.len().min(frame.length - frame.read);
                let (payload, rest) = input.split_at(count);
                *input = rest;
                let unmasked =
                    payload.iter().zip(frame.mask.iter().cycle().skip(frame.read % 4)).map(|(byte, key)| byte ^ key);
                match &mut self.message {
                    Some(message) if !frame.opcode.is_control() => {
                        message.bytes.extend(unmasked);
                        message.check()?;
                    }
                    _ => self.control.extend(unmasked),
                }
                frame.read += count;
                if frame.read < frame.length {
                    return Ok(None);
                }
                let (opcode, is_final) = (frame.opcode, frame.is_final);
                self.frame = None;
                return self.finish(opcode, is_final).map(Some);
            }
            while usize::from(self.header_bytes) < self.header_length() {
                let Some((byte, rest)) = input.split_first() else { return Ok(None) };
                *input = rest;
                self.header[usize::from(self.header_bytes)] = *byte;
                self.header_bytes += 1;
            }
            self.begin(limit)?;
        }
    }

    /// How long the header is, as far as its first two bytes have told.
    fn header_length(&self) -> usize {
        if self.header_bytes < 2 {
            return 2;
        }
        let extended = match self.header[1] & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & MASKED == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    /// Begins the frame whose header is complete.
    fn begin(&mut self, limit: usize) -> Result<(), Fault> {
        let [first, second, rest @ ..] = self.header;
        self.header_bytes = 0;
        let opcode = Opcode::from_bits(first & 0x0F).ok_or(Fault::Protocol)?;
        let is_final = first & FIN != 0;
        // The shortest form of a length is the only one (section 5.2).
        let (length, mask) = match (second & !MASKED, &rest[..]) {
            (126, [a, b, mask @ ..]) => {
                let length = u64::from(u16::from_be_bytes([*a, *b]));
                (Some(length).filter(|length| *length > SHORT as u64), mask)
            }
            (127, [a, b, c, d, e, f, g, h, mask @ ..]) => {
                let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                (Some(length).filter(|length| *length > 0xFFFF && length >> 63 == 0), mask)
            }
            (short, mask) => (Some(u64::from(short)), mask),
        };
        let mask = mask.first_chunk().copied().unwrap_or_default();
        let length = length.ok_or(Fault::Protocol)?;
        let out_of_place = match opcode {
            Opcode::Continuation => self.message.is_none(),
            Opcode::Text | Opcode::Binary => self.message.is_some(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => !is_final || length > SHORT as u64,
        };
        if first & RESERVED != 0 || second & MASKED == 0 || out_of_place {
            return Err(Fault::Protocol);
        }
        let length = usize::try_from(length).map_err(|_| Fault::TooBig)?;
        if !opcode.is_control() {
            let is_text = opcode == Opcode::Text;
            let message = self.message.get_or_insert_with(|| Message { is_text, bytes: Vec::new(), checked: 0 });
            if length > limit.saturating_sub(message.bytes.len()) {
                return Err(Fault::TooBig);
            }
        }
        self.frame = Some(Frame { is_final, opcode, mask, length, read: 0 });
        Ok(())
    }

    fn finish(&mut self, opcode: Opcode, is_final: bool) -> Result<Event, Fault> {
        match opcode {
            Opcode::Ping => Ok(Event::Ping(std::mem::take(&mut self.control))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Event::Pong)
            }
            Opcode::Close => close_code(&std::mem::take(&mut self.control)).map(Event::Close),
            Opcode::Continuation | Opcode::Text | Opcode::Binary if !is_final => Ok(Event::Part),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => match self.message.take() {
                Some(Message { is_text: true, bytes, .. }) => {
                    String::from_utf8(bytes).map(Event::Text).map_err(|_| Fault::NotText)
                }
                Some(Message { bytes, .. }) => Ok(Event::Binary(bytes)),
                None => Err(Fault::Protocol),
            },
        }
    }
}

impl Message {
    /// A text is refused at its first byte that cannot be, not only at its end.
    fn check(&mut self) -> Result<(), Fault> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.bytes[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            // A character that is cut may go on in what comes next.
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Fault::NotText),
        }
        Ok(())
    }
}

/// The code of a close frame (sections 5.5.1 and 7.4): none, or one that may be sent, and a reason in UTF-8.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Fault> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
        [_] => return Err(Fault::Protocol),
    };
    // 1004 to 1006 and 1015 are never sent; 1012 to 1014 were registered after the RFC.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::Protocol);
    }
    std::str::from_utf8(reason).map_err(|_| Fault::NotText)?;
    Ok(Some(code))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::server::live::frame::frame;

    const LIMIT: usize = 4096;

    /// A frame as a client sends it.
    fn sent(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut bytes = frame(Opcode::Text, payload);
        let header = bytes.len() - payload.len();
        bytes[0] = first;
        bytes[1] |= MASKED;
        for (byte, key) in bytes[header..].iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
        bytes.splice(header..header, mask);
        bytes
    }

    /// The events of these bytes, cut into pieces of these lengths.
    fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<Event>, Option<Fault>, bool) {
        let (mut reader, mut events, mut rest) = (Reader::default(), Vec::new(), bytes);
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let (mut piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap_or(&usize::MAX)));
            rest = after;
            loop {
                match reader.next(&mut piece, LIMIT) {
                    Ok(Some(event)) => events.push(event),
                    Ok(None) => break,
                    Err(fault) => return (events, Some(fault), false),
                }
            }
        }
        (events, None, reader.is_idle())
    }

    fn some_frame() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![8 => prop::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x80, 0x00, 0x89, 0x8A, 0x88]), 1 => any::<u8>()];
        let payload = prop_oneof![
            ".{0,40}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..140),
            (0_u16..5000).prop_map(|code| code.to_be_bytes().to_vec()),
        ];
        (first, payload, any::<[u8; 4]>()).prop_map(|(first, payload, mask)| sent(first, &payload, mask))
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_events_are_the_same(
            frames in prop::collection::vec(some_frame(), 0..8),
            cuts in prop::collection::vec(1_usize..20, 1..6),
        ) {
            let bytes = frames.concat();
            let whole = read(&bytes, &[]);
            prop_assert_eq!(&whole, &read(&bytes, &cuts));
            prop_assert_eq!(&whole, &read(&bytes, &[1]));
        }

        #[test]
        fn any_bytes_at_all_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            cuts in prop::collection::vec(1_usize..20, 1..6),
        ) {
            prop_assert_eq!(read(&bytes, &[]), read(&bytes, &cuts));
        }

        #[test]
        fn a_text_comes_out_as_it_was_sent(text in ".{0,300}", at in 0_usize..300, mask: [u8; 4]) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(at.min(bytes.len()));
            let stream = [sent(0x01, head, mask), sent(0x89, b"?", mask), sent(0x80, tail, mask)].concat();
            let events = vec![Event::Part, Event::Ping(b"?".to_vec()), Event::Text(text)];
            prop_assert_eq!(read(&stream, &[3]), (events, None, true));
        }
    }

    #[test]
    fn lengths_have_one_form_and_a_limit() {
        for (bytes, fault) in [
            (&[0x82, 0xFE, 0, 125][..], Fault::Protocol),
            (&[0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], Fault::Protocol),
            (&[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], Fault::Protocol),
            (&[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0], Fault::TooBig),
            (&[0x82, 0xFE, 0x10, 0x01], Fault::TooBig),
        ] {
            assert_eq!(read(&[bytes, &[0; 4]].concat(), &[]).1, Some(fault), "{bytes:x?}");
        }
        assert_eq!(read(&sent(0x82, &[7; LIMIT], [1, 2, 3, 4]), &[100]).0, [Event::Binary(vec![7; LIMIT])]);
        let parts = [sent(0x02, &[7; LIMIT], [0; 4]), sent(0x80, &[7], [0; 4])].concat();
        assert_eq!(read(&parts, &[]), (vec![Event::Part], Some(Fault::TooBig), false));
    }

    #[test]
    fn a_text_is_refused_at_its_first_wrong_byte() {
        let mut stream = sent(0x81, "κόσμε\u{0}".as_bytes(), [9; 4]);
        let last = stream.len() - 1;
        stream[last] = 0xFF ^ 9;
        assert_eq!(read(&stream[..last], &[1]), (vec![], None, false));
        assert_eq!(read(&stream, &[]).1, Some(Fault::NotText));
    }
}
