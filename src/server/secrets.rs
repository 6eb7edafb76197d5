//! The server's keys and what they do: sign session tokens, seal personal data, compare secrets.
//!
//! Tokens are `<session>.<expiry>.<HMAC-SHA256>` and need no database to be checked. Sealed data is XChaCha20-Poly1305
//! with a random nonce, bound to the place it belongs to, so that one row's data cannot be moved to another; the id of its
//! key stands in front. *Runs: server.*

use std::{fmt, path::Path, str::FromStr};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{ids::SessionId, time::Timestamp};

/// Random bytes from the operating system.
///
/// # Panics
/// If the operating system has none, which leaves nothing safe to do.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A fresh secret as text: 128 random bits, base64url.
#[must_use]
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<16>())
}

/// A short code that people read aloud and compare: 5 random bits for each character, none of them easy to mistake.
#[must_use]
pub fn random_code<const N: usize>() -> String {
    const CHARACTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    random_bytes::<N>().map(|byte| char::from(CHARACTERS[usize::from(byte % 32)])).iter().collect()
}

/// A name for a text, which changes with the text: the first `N` bytes of its SHA-256, at most 32, in base64url.
#[must_use]
pub fn fingerprint<const N: usize>(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..N])
}

/// Whether two secrets are the same, in a time that does not depend on where they differ nor on their lengths.
#[must_use]
pub fn same_secret(given: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(expected)).into()
}

/// A secret text from the configuration; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Neither of the two forms.
    #[error("a key is 32 bytes as 64 hexadecimal digits or as base64")]
    Form,
    /// There is no key's file, and none could be made.
    #[error(
        "no key file could be made at {path}: {source}. Make the folder, and give it to the user that the server runs as; or set \
         SECRET_KEY, and no file is needed"
    )]
    NotMade {
        /// Its path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key's file could not be read, or holds no key.
    #[error(
        "the key file {path} cannot be used: {source}. What is sealed in the database beside it opens with this key alone, so give \
         the file to the user that the server runs as, or bring it back from a backup; or set SECRET_KEY to what it held"
    )]
    File {
        /// Its path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A master key, with one key derived from it for each purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// Stands in front of what is sealed, so that the key can be found again; says nothing about the key.
    id: [u8; KEY_ID],
    signing: [u8; 32],
    sealing: [u8; 32],
}

/// The server's keys: what is signed and sealed is so with the present one; what an old one signed or sealed still opens.
#[derive(Clone, Debug)]
pub struct KeyRing {
    present: SecretKey,
    old: Vec<SecretKey>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = if text.len() == 64 { decode_hex(text) } else { STANDARD.decode(text).ok() };
        let master: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(KeyError::Form)?;
        Ok(Self::from_master(&master))
    }
}

/// The bytes of hexadecimal digits, of either case.
#[must_use]
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// HMAC-SHA256 takes a key of any length, so making one cannot fail.
fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The first byte of sealed data: its format. The first one named no key.
const SEALED_V1: u8 = 1;
const SEALED_V2: u8 = 2;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

impl SecretKey {
    /// The keys derived from this master key.
    #[must_use]
    pub fn from_master(master: &[u8; 32]) -> Self {
        let derive = |purpose: &[u8]| -> [u8; 32] { mac(master).chain_update(purpose).finalize().into_bytes().into() };
        let (mut id, digest) = ([0; KEY_ID], derive(b"vestibule key id v1"));
        id.copy_from_slice(&digest[..KEY_ID]);
        Self { id, signing: derive(b"vestibule signing v1"), sealing: derive(b"vestibule sealing v1") }
    }

    /// The key in this file, which is made, readable by its owner alone, when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::NotMade { path: path.display().to_string(), source };
        if !path.try_exists().map_err(failed)? {
            // Written beside it first, and only then given its name: a process that is killed leaves no half of a key.
            let draft = path.with_extension(format!("{}.new", random_text()));
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&draft).map_err(failed)?;
            let text = STANDARD.encode(random_bytes::<32>());
            std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            // A link fails where somebody else was first; then theirs is the key.
            let linked = std::fs::hard_link(&draft, path);
            std::fs::remove_file(&draft).map_err(failed)?;
            if let Err(error) = linked
                && error.kind() != std::io::ErrorKind::AlreadyExists
            {
                return Err(failed(error));
            }
        }
        Self::read(path)
    }

    /// The key in this file, which is not made.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        text.parse().map_err(|error| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
    }

    fn signed(&self, claim: &str, signature: &[u8]) -> bool {
        mac(&self.signing).chain_update(claim).verify_slice(signature).is_ok()
    }

    fn decrypt(&self, place: &str, rest: &[u8]) -> Option<Vec<u8>> {
        let (nonce, data) = rest.split_first_chunk::<NONCE>()?;
        XChaCha20Poly1305::new((&self.sealing).into())
            .decrypt(nonce.into(), Payload { msg: data, aad: place.as_bytes() })
            .ok()
    }
}

impl KeyRing {
    /// The present key, and the ones before it.
    #[must_use]
    pub fn new(present: SecretKey, mut old: Vec<SecretKey>) -> Self {
        old.retain(|key| *key != present);
        Self { present, old }
    }

    fn keys(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.present).chain(&self.old)
    }

    /// A token that opens this session until `expires_at`.
    #[must_use]
    pub fn token(&self, session: SessionId, expires_at: Timestamp) -> String {
        let claim = format!("{session}.{}", expires_at.0);
        let signature = mac(&self.present.signing).chain_update(&claim).finalize().into_bytes();
        format!("{claim}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The session that this token opens; `None` when it was not made by us, or is past its time.
    #[must_use]
    pub fn opens(&self, token: &str, now: Timestamp) -> Option<SessionId> {
        let (claim, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !self.keys().any(|key| key.signed(claim, &signature)) {
            return None;
        }
        let (session, expires_at) = claim.split_once('.')?;
        let expires_at = Timestamp(expires_at.parse().ok()?);
        if now < expires_at { session.parse().ok() } else { None }
    }

    /// Seals data for one place, for instance a row's key.
    #[must_use]
    pub fn seal(&self, place: &str, data: &[u8]) -> Vec<u8> {
        // Of the thread's own generator, which is as good and does not ask the system each time.
        let nonce: [u8; NONCE] = rand::random();
        let sealed = XChaCha20Poly1305::new((&self.present.sealing).into())
            .encrypt(&nonce.into(), Payload { msg: data, aad: place.as_bytes() })
            .expect("data far below the cipher's limit can be sealed");
        [&[SEALED_V2][..], &self.present.id, &nonce, &sealed].concat()
    }

    /// Opens what was sealed for the same place; `None` when it was not, was changed since, or its key is not here.
    #[must_use]
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (format, rest) = sealed.split_first()?;
        match *format {
            SEALED_V1 => self.keys().find_map(|key| key.decrypt(place, rest)),
            SEALED_V2 => {
                let (id, rest) = rest.split_at_checked(KEY_ID)?;
                self.keys().find(|key| key.id == id)?.decrypt(place, rest)
            }
            _ => None,
        }
    }

    /// A name for a text by which it can be found and which nobody without the present key can make.
    #[must_use]
    pub fn digest(&self, purpose: &str, text: &str) -> [u8; 32] {
        mac(&self.present.signing)
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(text)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Whether something was sealed with the present key, in the present form.
    #[must_use]
    pub fn is_present(&self, sealed: &[u8]) -> bool {
        sealed.split_first().is_some_and(|(format, rest)| *format == SEALED_V2 && rest.starts_with(&self.present.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(present: u8, old: &[u8]) -> KeyRing {
        let key = |byte: u8| SecretKey::from_master(&[byte; 32]);
        KeyRing::new(key(present), old.iter().map(|byte| key(*byte)).collect())
    }

    fn key() -> KeyRing {
        ring(3, &[])
    }

    #[test]
    fn a_token_opens_its_session_until_its_time() {
        let session = SessionId::new(Timestamp(0), [1; 16]);
        let token = key().token(session, Timestamp(1_000));
        assert_eq!(key().opens(&token, Timestamp(999)), Some(session));
        assert_eq!(key().opens(&token, Timestamp(1_000)), None);
        assert_eq!(ring(4, &[]).opens(&token, Timestamp(999)), None);
        assert_eq!(ring(4, &[5, 3]).opens(&token, Timestamp(999)), Some(session), "an old key's tokens stay good");
    }

    #[test]
    fn what_an_old_key_sealed_opens_until_that_key_is_gone() {
        let sealed = key().seal("session/1", b"Okonkwo");
        assert!(key().is_present(&sealed));
        let changed = ring(4, &[3]);
        assert_eq!(changed.unseal("session/1", &sealed).as_deref(), Some(&b"Okonkwo"[..]));
        assert!(!changed.is_present(&sealed));
        let again = changed.seal("session/1", b"Okonkwo");
        assert!(changed.is_present(&again));
        assert_eq!(ring(4, &[]).unseal("session/1", &sealed), None);
        assert_eq!(ring(4, &[]).unseal("session/1", &again).as_deref(), Some(&b"Okonkwo"[..]));
    }

    #[test]
    fn the_forms_of_before_still_open() {
        let sealed = key().seal("session/1", b"Okonkwo");
        let first_form = [&[SEALED_V1][..], &sealed[1 + KEY_ID..]].concat();
        assert_eq!(ring(4, &[3]).unseal("session/1", &first_form).as_deref(), Some(&b"Okonkwo"[..]));
        assert!(!key().is_present(&first_form));
        // Made by other means than this program's, after draft-irtf-cfrg-xchacha-03.
        let text = "Au1kJOTVWdy3AAECAwQFBgcICQoLDA0ODxAREhMUFRYXygAMIISbMpIG1b09QPsSl0Jt-rkfQg8";
        let second_form = URL_SAFE_NO_PAD.decode(text).unwrap();
        assert_eq!(key().unseal("session/1", &second_form).as_deref(), Some(&b"Okonkwo"[..]));
    }

    #[test]
    fn a_changed_token_opens_nothing() {
        let token = key().token(SessionId::new(Timestamp(0), [1; 16]), Timestamp(1_000));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of base64 has bits that say nothing; a decoder that is strict refuses them too.
            assert_eq!(key().opens(&changed, Timestamp(0)), None, "place {place}");
        }
        for text in ["", ".", "..", "a.b.c", "é.1.x"] {
            assert_eq!(key().opens(text, Timestamp(0)), None, "{text:?}");
        }
    }

    #[test]
    fn sealed_data_opens_in_its_place_alone() {
        let sealed = key().seal("session/1", b"Okonkwo");
        assert!(!sealed.windows(7).any(|window| window == b"Okonkwo"));
        assert_eq!(key().unseal("session/1", &sealed).as_deref(), Some(&b"Okonkwo"[..]));
        assert_eq!(key().unseal("session/2", &sealed), None);
        assert_eq!(key().unseal("session/1", &sealed[..10]), None);
        assert_eq!(key().unseal("session/1", &[]), None);
        assert_ne!(sealed, key().seal("session/1", b"Okonkwo"));
    }

    #[test]
    fn a_key_is_read_in_both_forms() {
        let hex = "03".repeat(32);
        let base64 = STANDARD.encode([3; 32]);
        for text in [hex.as_str(), base64.as_str(), &format!("{base64}\n")] {
            assert_eq!(text.parse::<SecretKey>().unwrap(), SecretKey::from_master(&[3; 32]));
        }
        for text in ["", "abc", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(text.parse::<SecretKey>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.key");
        assert_eq!(SecretKey::from_file(&path).unwrap(), SecretKey::from_file(&path).unwrap());
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        std::fs::write(&path, "").unwrap();
        assert!(SecretKey::from_file(&path).unwrap_err().to_string().contains("vestibule.key"));
    }

    #[test]
    fn secrets_are_told_apart() {
        assert!(same_secret(b"one", b"one"));
        assert!(!same_secret(b"one", b"two"));
        assert!(!same_secret(b"one", b"one and more"));
        assert!(!same_secret(b"", b"one"));
    }
}
