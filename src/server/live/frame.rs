//! The frames of a WebSocket as a server writes them, and the words that writing and reading share (RFC 6455, section 5).
//! *Runs: server.*

pub(super) const FIN: u8 = 0x80;
pub(super) const RESERVED: u8 = 0x70;
pub(super) const MASKED: u8 = 0x80;
/// The longest payload of a control frame, and the longest that the second byte can name.
pub(super) const SHORT: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

impl Opcode {
    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(super) const fn is_control(self) -> bool {
        self as u8 >= 0x8
    }
}

/// A whole text message.
#[must_use]
pub fn text(payload: &[u8]) -> Vec<u8> {
    frame(Opcode::Text, payload)
}

/// A whole binary message.
#[must_use]
pub fn binary(payload: &[u8]) -> Vec<u8> {
    frame(Opcode::Binary, payload)
}

/// A ping without a payload.
pub const PING: [u8; 2] = [FIN | Opcode::Ping as u8, 0];

/// A pong; the payload is a ping's, so it is short enough.
#[must_use]
pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(Opcode::Pong, payload)
}

/// A close frame; without a code there is no reason.
#[must_use]
pub fn close(code: Option<u16>, reason: &str) -> Vec<u8> {
    let Some(code) = code else { return frame(Opcode::Close, &[]) };
    let reason = &reason.as_bytes()[..reason.floor_char_boundary(SHORT - 2)];
    frame(Opcode::Close, &[&code.to_be_bytes()[..], reason].concat())
}

pub(super) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(FIN | opcode as u8);
    // The conversions are of numbers that were just seen to fit.
    match payload.len() {
        length @ ..=SHORT => bytes.push(length as u8),
        length @ ..=0xFFFF => {
            bytes.push(126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}
