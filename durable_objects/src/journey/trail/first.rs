//! The bytes of a trail of one footprint, as [`Trail::write`](super::Trail::write) has them.

use analytics::number::{put, zigzag};
use analytics::{Footprint, Text};

use super::print::Print;
use super::{CLICK, POSTBACK};

/// Appends a trail of this footprint alone. Its texts are not looked for, so that the words are their numbers.
pub(in crate::journey) fn write_first(footprint: &Footprint<'_>, out: &mut Vec<u8>) {
    let postback = footprint.postback.as_ref();
    let txid = postback.map_or("", |postback| postback.txid.as_str());
    let own: [&Text<'_>; 7] = [
        &footprint.name,
        &footprint.page,
        &footprint.element_id,
        &footprint.session_id,
        &footprint.currency,
        &footprint.cost_currency,
        &footprint.payout_currency,
    ];
    let texts = || {
        let fields = std::iter::once(txid).chain(own.iter().map(|text| text.as_str()));
        let values = footprint.traits.pairs().map(|(_, value)| value);
        fields.chain(values).filter(|text| !text.is_empty())
    };
    put(texts().count() as u64, out);
    texts().for_each(|text| put(text.len() as u64, out));
    texts().for_each(|text| out.extend_from_slice(text.as_bytes()));

    let mut words = 0u64;
    let mut word = |text: &str| {
        words += u64::from(!text.is_empty());
        if text.is_empty() { 0 } else { words }
    };
    let of_txid = word(txid);
    let mut said = [0; 12];
    for (value, text) in said.iter_mut().zip(own) {
        *value = word(text);
    }
    let amounts = [
        zigzag(footprint.value_micros),
        zigzag(footprint.cost_nanos),
        zigzag(footprint.payout_nanos),
        zigzag(footprint.click_ms.unwrap_or(0)),
        postback.map_or(0, |postback| of_txid * 4 + postback.status as u64),
    ];
    for (value, amount) in said.iter_mut().skip(own.len()).zip(amounts) {
        *value = amount;
    }

    let mut buffer = Vec::with_capacity(64);
    for (code, value) in footprint.traits.pairs() {
        buffer.push(code);
        put(word(value), &mut buffer);
    }
    put(1, out);
    put(buffer.len() as u64, out);
    out.extend_from_slice(&buffer);

    let mut mask = (0..).zip(&said).fold(0u16, |mask, (bit, value)| mask | u16::from(*value != 0) << bit);
    mask |= u16::from(footprint.click_ms.is_some()) << CLICK | u16::from(postback.is_some()) << POSTBACK;
    buffer.clear();
    buffer.extend_from_slice(&mask.to_le_bytes());
    for (bit, value) in said.into_iter().enumerate() {
        if mask >> bit & 1 == 1 {
            put(value, &mut buffer);
        }
    }
    put(buffer.len() as u64, out);
    out.extend_from_slice(&buffer);

    put(1, out);
    let print = Print { id: footprint.id, at_ms: footprint.at_ms, kind: footprint.kind, traits: 0, said: 0 };
    print.write(out);
}
