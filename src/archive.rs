//! The archive's I/O: lines into the bucket or their row, and out again.
//!
//! A batch's lines are in the bucket before the transaction that counts the batch, and a row of that transaction names
//! them. A try that fails leaves an object that no row names; the next one writes another under another name, because two
//! consumers may have the same message at the same time, and neither may overwrite what the other's row names.

use analytics::Statement;
use analytics::archive::{Chunk, Keeping, Lines, Span, keep as row, next, object_name, part, waiting_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{join_all, try_join_all};
use serde::Deserialize;
use wasm_bindgen_futures::JsFuture;
use worker::js_sys::{Array, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{EnvBinding, Error, Result};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::notice;
use crate::random::random_bits;
use crate::sql::read;

/// Fewer bytes than these stay in D1 until they are gathered: a row and its deletion are $2 a million, a write to the
/// bucket is $4.50, and a thousand batches of one click each would be a thousand objects.
const SMALL_BYTES: usize = 64 << 10;

/// An object has at most so many chunks of about 1 MiB: whoever reads it holds it in memory.
const OBJECT_CHUNKS: usize = 4;

const PUT_WITHIN_MS: u32 = 10_000;

/// What gzip in base64 may have to fit into a row: D1 takes values of 2 MB.
const PACKED_MAX_BYTES: usize = 1_500_000;

/// While the bucket is down, lines wait in D1, packed to a sixth: so many bytes before packing are some 3.5 GB of its 10, about 18
/// million events. Beyond them batches are tried again later: queues and gates hold the events.
const WAITING_MAX_BYTES: i64 = 20_000_000_000;

#[wasm_bindgen(module = "/src/archive.js")]
extern "C" {
    fn gzip(parts: &Array) -> Promise;
    fn gunzip(bytes: &Uint8Array) -> Promise;
    fn put(bucket: &Bucket, name: &str, bytes: &Uint8Array, within_ms: u32) -> Promise;
    #[wasm_bindgen(js_name = read)]
    fn read_object(bucket: &Bucket, name: &str) -> Promise;
    fn list(bucket: &Bucket, prefix: &str, cursor: Option<&str>) -> Promise;
    fn remove(bucket: &Bucket, names: &Array) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// The bucket.
    #[wasm_bindgen(extends = worker::js_sys::Object)]
    #[derive(Debug, Clone)]
    pub(crate) type Bucket;
}

impl EnvBinding for Bucket {
    const TYPE_NAME: &'static str = "R2Bucket";

    /// Unchecked: the runtime's class has another name under local simulation.
    fn get(binding: JsValue) -> Result<Self> {
        Ok(binding.unchecked_into())
    }
}

async fn unpacked(promise: Promise) -> Result<Option<String>> {
    let bytes = JsFuture::from(promise).await?;
    if bytes.is_null() {
        return Ok(None);
    }
    let text = String::from_utf8(bytes.unchecked_into::<Uint8Array>().to_vec());
    text.map(Some).map_err(|_| Error::RustError("an archived object is not UTF-8".to_owned()))
}

async fn packed(texts: impl IntoIterator<Item = &str>) -> Result<Uint8Array> {
    let parts: Array = texts.into_iter().map(|text| Uint8Array::from(text.as_bytes())).collect();
    Ok(JsFuture::from(gzip(&parts)).await?.unchecked_into())
}

impl Bucket {
    /// Writes texts into an object of their own, and tells its name.
    pub(crate) async fn write(&self, at_ms: i64, texts: impl IntoIterator<Item = &str>) -> Result<String> {
        self.write_packed(at_ms, &packed(texts).await?).await
    }

    /// Writes a text into an object of that name.
    pub(crate) async fn write_as(&self, name: &str, text: &str) -> Result<()> {
        let bytes = packed([text]).await?;
        JsFuture::from(put(self, name, &bytes, PUT_WITHIN_MS)).await?;
        Ok(())
    }

    /// An object's text.
    ///
    /// # Errors
    /// There is none of that name, or it is not ours.
    pub(crate) async fn text(&self, name: &str) -> Result<String> {
        let text = unpacked(read_object(self, name)).await?;
        text.ok_or_else(|| Error::RustError(format!("the archive has no object {name}")))
    }

    async fn write_packed(&self, at_ms: i64, bytes: &Uint8Array) -> Result<String> {
        let name = object_name(at_ms, random_bits());
        JsFuture::from(put(self, &name, bytes, PUT_WITHIN_MS)).await?;
        Ok(name)
    }

    /// Names below a prefix, and where to go on.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>)> {
        #[derive(Deserialize)]
        struct Listed {
            names: Vec<String>,
            next: Option<String>,
        }
        let listed = JsFuture::from(list(self, prefix, cursor)).await?.as_string().unwrap_or_default();
        let Listed { names, next } = serde_json::from_str(&listed)?;
        Ok((names, next))
    }

    /// Deletes objects, up to 1,000.
    pub(crate) async fn remove(&self, names: &[String]) -> Result<()> {
        let names: Array = names.iter().map(|name| JsValue::from_str(name)).collect();
        JsFuture::from(remove(self, &names)).await?;
        Ok(())
    }
}

/// Sees to it that lines are kept by the transaction that the statements become part of.
///
/// # Errors
/// The bucket has been down for so long that nothing more may wait in D1.
pub(crate) async fn keep(edge: &Edge, lines: Option<Lines>) -> Result<Vec<Statement>> {
    let chunks = lines.map(Lines::into_chunks).unwrap_or_default();
    let (Some(bucket), [first, ..]) = (&edge.archive, chunks.as_slice()) else { return Ok(Vec::new()) };
    let at_ms = now_ms();
    if chunks.len() == 1 && first.text.len() < SMALL_BYTES {
        return Ok(vec![here(at_ms, first)]);
    }
    let objects = join_all(chunks.chunks(OBJECT_CHUNKS).map(async |chunks| {
        let bytes = packed(chunks.iter().map(|chunk| &*chunk.text)).await?;
        let length = chunks.iter().map(|chunk| chunk.text.len() as i64).sum();
        let keeping = match bucket.write_packed(at_ms, &bytes).await {
            Ok(name) => Keeping::Object(name),
            Err(error) => {
                notice::warn("archive", "lines_wait_in_d1", &"", &error);
                may_wait(edge).await?;
                if bytes.length() as usize / 3 * 4 > PACKED_MAX_BYTES {
                    return Ok(chunks.iter().map(|chunk| here(at_ms, chunk)).collect());
                }
                Keeping::Row(STANDARD.encode(bytes.to_vec()))
            }
        };
        Ok::<_, Error>(vec![row(at_ms, length, Span::of(chunks), keeping)])
    }));
    let rows: Result<Vec<Vec<Statement>>> = objects.await.into_iter().collect();
    Ok(rows?.into_iter().flatten().collect())
}

fn here(at_ms: i64, chunk: &Chunk) -> Statement {
    let span = Span::of(std::slice::from_ref(chunk));
    row(at_ms, chunk.text.len() as i64, span, Keeping::Row(chunk.text.clone()))
}

async fn may_wait(edge: &Edge) -> Result<()> {
    #[derive(Deserialize)]
    struct Sum {
        bytes: i64,
    }
    let sums: Vec<Sum> = read(&edge.db, waiting_bytes()).await?;
    if sums.iter().any(|sum| sum.bytes > WAITING_MAX_BYTES) {
        return Err(Error::RustError("the archive is down and too much waits for it".to_owned()));
    }
    Ok(())
}

/// The texts of rows that wait, in order.
pub(crate) async fn texts_of(bodies: Vec<String>) -> Result<Vec<String>> {
    try_join_all(bodies.into_iter().map(text_of)).await
}

/// A row's body for a text: as it is where it has room, else packed.
pub(crate) async fn body_of(text: String) -> Result<String> {
    if text.len() < PACKED_MAX_BYTES {
        return Ok(text);
    }
    Ok(STANDARD.encode(packed([text.as_str()]).await?.to_vec()))
}

pub(crate) async fn text_of(body: String) -> Result<String> {
    if body.starts_with('{') {
        return Ok(body);
    }
    let bytes = STANDARD.decode(&body).map_err(|error| Error::RustError(error.to_string()))?;
    Ok(unpacked(gunzip(&Uint8Array::from(&*bytes))).await?.unwrap_or_default())
}

/// Lines of the archive, and up to which number they are.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) upto: i64,
}

/// The next lines whose numbers are behind `after` and up to `upto`, one row's at a time; `None` when there are no more.
/// What may have been gathered meanwhile is found where it is now.
pub(crate) async fn lines_behind(
    edge: &Edge,
    (after, upto): (i64, i64),
    span: (i64, i64),
) -> Result<Option<Page>> {
    #[derive(Deserialize)]
    struct Row {
        seq: i64,
        name: Option<String>,
        body: Option<String>,
        parts: Option<String>,
    }
    if after >= upto {
        return Ok(None);
    }
    let mut rows: Vec<Row> = read(&edge.db, next(after, span)).await?;
    let mut object = None;
    if let (Some(Row { name: Some(name), .. }), Some(bucket)) = (rows.first(), &edge.archive) {
        object = bucket.text(name).await.ok();
        if object.is_none() {
            // Somebody was erased from it meanwhile: another stands in its place.
            rows = read(&edge.db, next(after, span)).await?;
        }
    }
    let Some(Row { seq, name, body, parts }) = rows.into_iter().next() else { return Ok(None) };
    if seq > upto && parts.is_none() {
        return Ok(None);
    }
    let whole = match (name, body, &edge.archive) {
        _ if object.is_some() => object.unwrap_or_default(),
        (Some(name), _, Some(bucket)) => bucket.text(&name).await?,
        (_, Some(body), _) => text_of(body).await?,
        _ => return Err(Error::RustError("there is no bucket".to_owned())),
    };
    let text = match parts {
        None => whole,
        Some(parts) => part(&whole, seq, Some(&parts), (after, upto)).to_owned(),
    };
    Ok(Some(Page { text, upto: seq.min(upto) }))
}
