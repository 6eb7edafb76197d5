//! `traceparent` and `tracestate`, as the W3C has them (Trace Context, level 1): read strictly, so that what is no such thing
//! begins no trace that nobody finds, and written for the calls that we make. *Runs: server.*

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The step of the caller that sent these headers; `None` when they name none.
pub(super) fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    let mut named = headers.get_all(TRACEPARENT).iter();
    let (trace, span, flags) = parent(named.next()?.as_bytes())?;
    // Of two, neither can be trusted to be the one.
    if named.next().is_some() {
        return None;
    }
    Some(SpanContext::new(trace, span, flags, true, state(headers)))
}

/// Reads `00-<trace>-<span>-<flags>`. Of a version that we do not know, what version 00 has too.
fn parent(text: &[u8]) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (known, more) = text.split_at_checked(55)?;
    let is_whole = match (hex(&known[..2])?, more) {
        (0xff, _) => false,
        (0, more) => more.is_empty(),
        (_, more) => matches!(more, [] | [b'-', ..]),
    };
    let is_parted = [2, 35, 52].iter().all(|&place| known[place] == b'-');
    let trace = hex(&known[3..35]).filter(|id| *id != 0)?;
    let span = hex(&known[36..52]).filter(|id| *id != 0)?;
    let flags = TraceFlags::new(u8::try_from(hex(&known[53..])?).ok()?);
    // Other flags than this one mean nothing yet, and may not be handed on.
    let flags = flags & TraceFlags::SAMPLED;
    (is_whole && is_parted).then_some((TraceId::from(trace), SpanId::from(u64::try_from(span).ok()?), flags))
}

/// Lower-case digits alone, at most 32.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// What other systems say about the trace, in all headers of that name together; nothing when any of it cannot be read.
fn state(headers: &HeaderMap) -> TraceState {
    let mut parts = headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str).peekable();
    if parts.peek().is_none() {
        return TraceState::NONE;
    }
    let list: Result<Vec<&str>, _> = parts.collect();
    list.ok().and_then(|list| list.join(",").parse().ok()).unwrap_or_default()
}

/// What a call carries that is made here, so that the step that makes it is its parent.
#[must_use]
pub fn headers_of_a_call() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(place) = super::current().map(|trace| trace.place) else { return headers };
    let parent = format!("00-{}-{}-{:02x}", place.trace_id(), place.span_id(), place.trace_flags());
    headers.extend(HeaderValue::try_from(parent).map(|value| (TRACEPARENT, value)));
    let state = place.trace_state().header();
    if !state.is_empty() {
        headers.extend(HeaderValue::try_from(state).map(|value| (TRACESTATE, value)));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::trace::Tracer;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(text: &str) -> Option<String> {
        let (trace, span, flags) = parent(text.as_bytes())?;
        Some(format!("{trace} {span} {}", flags.to_u8()))
    }

    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let found = |flags| Some(format!("{TRACE} {SPAN} {flags}"));
        for (flags, kept) in [("00", 0), ("01", 1), ("02", 0), ("03", 1), ("ff", 1)] {
            assert_eq!(read(&format!("00-{TRACE}-{SPAN}-{flags}")), found(kept), "{flags}");
        }
        for later in ["", "-", "-what-the-future-has", "-01"] {
            assert_eq!(read(&format!("cc-{TRACE}-{SPAN}-01{later}")), found(1), "{later}");
        }
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        let zeros = "0".repeat(32);
        for wrong in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-what-the-future-has"),
            format!("cc-{TRACE}-{SPAN}-01x"),
            format!("cc-{TRACE}-{SPAN}-011"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("0X-{TRACE}-{SPAN}-01"),
            format!("00-{}g-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{}-01", &SPAN[1..]),
            format!("00_{TRACE}_{SPAN}_01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{}é-{SPAN}-01", &TRACE[2..]),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    /// What a call carries that is made on behalf of a request with these headers.
    async fn handed_on(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let mut came = HeaderMap::new();
        for (name, value) in headers {
            came.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Tracer::default().request(&came).step().scope(async { headers_of_a_call() }).await
    }

    #[tokio::test]
    async fn a_call_carries_the_trace_a_span_of_ours_and_what_other_systems_said() {
        let parent = &*format!("00-{TRACE}-{SPAN}-03");
        let call =
            handed_on(&[(TRACEPARENT, parent), (TRACESTATE, "rojo=00f067,, congo=t61"), (TRACESTATE, "a@b=c d")]).await;
        let (trace, span, flags) = self::parent(call[TRACEPARENT].as_bytes()).unwrap();
        assert_eq!((&*trace.to_string(), flags), (TRACE, TraceFlags::SAMPLED));
        assert_ne!(span.to_string(), SPAN);
        assert_eq!(call[TRACESTATE], "rojo=00f067,congo=t61,a@b=c d");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_handed_on() {
        let parent = &*format!("00-{TRACE}-{SPAN}-01");
        for state in ["", "rojo", "Rojo=1", "rojo=1=2", "rojo=é"] {
            let call = handed_on(&[(TRACEPARENT, parent), (TRACESTATE, "congo=t61"), (TRACESTATE, state)]).await;
            assert!(call[TRACEPARENT].to_str().unwrap().contains(TRACE), "the trace goes on");
            assert_eq!(call.get(TRACESTATE).is_some(), state.is_empty(), "{state}");
        }
        for parents in [vec![], vec!["nonsense"], vec![parent, parent]] {
            let mut headers: Vec<_> = parents.into_iter().map(|parent| (TRACEPARENT, parent)).collect();
            headers.push((TRACESTATE, "congo=t61"));
            let call = handed_on(&headers).await;
            assert!(!call[TRACEPARENT].to_str().unwrap().contains(TRACE), "a trace of our own");
            assert!(call[TRACEPARENT].to_str().unwrap().ends_with("-00"));
            assert_eq!(call.get(TRACESTATE), None);
        }
        assert!(headers_of_a_call().is_empty(), "on behalf of nobody");
    }
}
