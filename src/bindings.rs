//! The names of the bindings in wrangler.toml, each said once, and those that the SDK has no wrapper for.

use worker::js_sys::{self, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{Env, EnvBinding, ObjectNamespace};

/// D1: links, ledger, sums.
pub(crate) const DB: &str = "DB";
/// KV: copies of link records.
pub(crate) const LINKS: &str = "LINKS";
/// The gate's Durable Object namespace.
pub(crate) const GATE: &str = "GATE";
/// The meter's Durable Object namespace.
pub(crate) const METER: &str = "METER";
/// The journeys' Durable Object namespace.
pub(crate) const JOURNAL: &str = "JOURNAL";
/// R2: the archive.
pub(crate) const ARCHIVE: &str = "ARCHIVE";
/// The live view's Durable Object namespace.
pub(crate) const LIVE: &str = "LIVE";
/// The dashboard's files.
pub(crate) const ASSETS: &str = "ASSETS";
/// Analytics Engine.
pub(crate) const STATS: &str = "STATS";
/// The queue of nudges to look at what has to be delivered.
pub(crate) const DELIVERIES: &str = "DELIVERIES";
/// The table of settings.
pub(crate) const CONFIG: &str = "CONFIG";
/// Secret: the first API key.
pub(crate) const ADMIN_TOKEN: &str = "ADMIN_TOKEN";
/// Secret: the key of the daily visitor hashes.
pub(crate) const VISITOR_SECRET: &str = "VISITOR_SECRET";
/// Secret, while it is being changed: the one before it.
pub(crate) const VISITOR_SECRET_BEFORE: &str = "VISITOR_SECRET_BEFORE";
/// Secret: the key of click ids and signed URLs.
pub(crate) const SIGNING_SECRET: &str = "SIGNING_SECRET";

/// Secret, if there is one: the key that other servers sign postbacks with.
pub(crate) const POSTBACK_SECRET: &str = "POSTBACK_SECRET";

#[wasm_bindgen]
extern "C" {
    /// A gate, as its callers see it.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type GateStub;

    /// See `Gate::admit`.
    #[wasm_bindgen(method)]
    pub(crate) fn admit(this: &GateStub, request: &Uint8Array) -> Promise;

    /// See `Gate::hand_over`.
    #[wasm_bindgen(method, js_name = handOver)]
    pub(crate) fn hand_over(this: &GateStub, call: &Uint8Array) -> Promise;

    /// See `Gate::report`.
    #[wasm_bindgen(method)]
    pub(crate) fn report(this: &GateStub) -> Promise;

    /// A journal, as its callers see it.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type JournalStub;

    /// See `Journal::hand`.
    #[wasm_bindgen(method)]
    pub(crate) fn hand(this: &JournalStub, call: &Uint8Array) -> Promise;

    /// See `Journal::report`.
    #[wasm_bindgen(method)]
    pub(crate) fn report(this: &JournalStub) -> Promise;

    /// See `Journal::person`.
    #[wasm_bindgen(method)]
    pub(crate) fn person(this: &JournalStub, call: &str) -> Promise;

    /// See `Gate::watch`.
    #[wasm_bindgen(method)]
    pub(crate) fn watch(this: &GateStub, until_ms: f64) -> Promise;

    /// See `Gate::glance`.
    #[wasm_bindgen(method)]
    pub(crate) fn glance(this: &GateStub, since_ms: f64) -> Promise;

    /// The hub of the live view, as its callers see it.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type LiveStub;

    /// See `Live::peek`.
    #[wasm_bindgen(method)]
    pub(crate) fn peek(this: &LiveStub, glance: &Uint8Array) -> Promise;

    /// See `Live::recent`.
    #[wasm_bindgen(method)]
    pub(crate) fn recent(this: &LiveStub) -> Promise;

    /// A meter, as its callers see it.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type MeterStub;

    /// See `Meter::take`.
    #[wasm_bindgen(method)]
    pub(crate) fn take(this: &MeterStub, link: &str, id: &Uint8Array, max: f64) -> Promise;

    /// See `Meter::forget`.
    #[wasm_bindgen(method)]
    pub(crate) fn forget(this: &MeterStub, link: &str) -> Promise;

    /// A namespace of Durable Objects, for the method that the SDK lacks.
    #[wasm_bindgen(extends = js_sys::Object)]
    type Namespace;

    #[wasm_bindgen(method, catch)]
    fn jurisdiction(this: &Namespace, name: &str) -> Result<JsValue, JsValue>;

    /// A queue, with the content type that the SDK lacks: bytes, as they are.
    #[wasm_bindgen(extends = js_sys::Object)]
    #[derive(Debug, Clone)]
    pub(crate) type QueueBinding;

    #[wasm_bindgen(method, catch)]
    fn send(this: &QueueBinding, body: &Uint8Array, options: &JsValue) -> Result<Promise, JsValue>;
}

impl EnvBinding for QueueBinding {
    const TYPE_NAME: &'static str = "WorkerQueue";

    /// Unchecked: the runtime's class has another name under local simulation.
    fn get(binding: JsValue) -> worker::Result<Self> {
        Ok(binding.unchecked_into())
    }
}

/// A namespace of Durable Objects, all of which run and are kept within a jurisdiction if one is named. The same name is
/// another object in each.
pub(crate) fn objects(env: &Env, binding: &str, jurisdiction: &str) -> worker::Result<ObjectNamespace> {
    if jurisdiction.is_empty() {
        return env.durable_object(binding);
    }
    let namespace: Namespace = js_sys::Reflect::get(env, &binding.into())?.unchecked_into();
    Ok(namespace.jurisdiction(jurisdiction)?.unchecked_into())
}

thread_local! {
    static AS_BYTES: JsValue = {
        let options = js_sys::Object::new();
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &"contentType".into(), &"bytes".into());
        options.into()
    };
}

impl QueueBinding {
    /// Puts a message into the queue; resolves when the queue has it on disk.
    pub(crate) async fn send_bytes(&self, body: &[u8]) -> worker::Result<()> {
        let promise = AS_BYTES.with(|options| self.send(&Uint8Array::from(body), options))?;
        wasm_bindgen_futures::JsFuture::from(promise).await?;
        Ok(())
    }

    /// Likewise, for somebody who gets it so many seconds later.
    pub(crate) async fn send_later(&self, body: &[u8], seconds: i64) -> worker::Result<()> {
        let options = js_sys::Object::new();
        for (name, value) in
            [("contentType", JsValue::from_str("bytes")), ("delaySeconds", JsValue::from_f64(seconds as f64))]
        {
            // Setting a property of a fresh object cannot fail.
            let _ = js_sys::Reflect::set(&options, &name.into(), &value);
        }
        wasm_bindgen_futures::JsFuture::from(self.send(&Uint8Array::from(body), &options)?).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::limits;

    fn wrangler() -> toml::Table {
        include_str!("../wrangler.toml").parse().unwrap()
    }

    fn names(wrangler: &toml::Table, path: &[&str], key: &str) -> Vec<String> {
        let (last, tables) = path.split_last().unwrap();
        let table = tables.iter().fold(wrangler, |table, name| table[*name].as_table().unwrap());
        table[*last].as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap().to_owned()).collect()
    }

    /// A binding that is renamed in one place only fails here, not at the first click.
    #[test]
    fn every_binding_is_declared() {
        let wrangler = wrangler();
        assert_eq!(names(&wrangler, &["d1_databases"], "binding"), [DB]);
        assert_eq!(names(&wrangler, &["kv_namespaces"], "binding"), [LINKS]);
        assert_eq!(names(&wrangler, &["r2_buckets"], "binding"), [ARCHIVE]);
        assert_eq!(names(&wrangler, &["durable_objects", "bindings"], "name"), [GATE, METER, JOURNAL, LIVE]);
        assert_eq!(wrangler["assets"]["binding"].as_str(), Some(ASSETS));
        assert_eq!(names(&wrangler, &["analytics_engine_datasets"], "binding"), [STATS]);
        assert_eq!(names(&wrangler, &["ratelimits"], "name"), limits::BINDINGS);
    }

    #[test]
    fn the_settings_are_known_and_say_what_is_built_in() {
        let table = wrangler()["vars"][CONFIG].clone();
        let declared: Config = table.clone().try_into().unwrap();
        assert_eq!(format!("{declared:?}"), format!("{:?}", Config::default()));
        let mut unknown = table;
        unknown.as_table_mut().unwrap().insert("typo".to_owned(), 1.into());
        assert!(unknown.try_into::<Config>().is_err());
    }

    #[test]
    fn whoever_is_refused_is_told_to_come_again_when_the_period_is_over() {
        let wrangler = wrangler();
        let namespaces: std::collections::HashSet<_> =
            names(&wrangler, &["ratelimits"], "namespace_id").into_iter().collect();
        assert_eq!(namespaces.len(), limits::BINDINGS.len(), "each counts for itself");
        for limit in wrangler["ratelimits"].as_array().unwrap() {
            assert_eq!(
                limit["simple"]["period"].as_integer(),
                Some(limits::PERIOD_SECONDS.into()),
                "{limit}"
            );
        }
    }

    /// What docs/operations.md says of settings: name and default of each row of a table.
    fn documented(heading: &str) -> Vec<(String, String)> {
        let page = include_str!("../docs/operations.md");
        let table = page.split_once(heading).unwrap().1.trim_start();
        let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
        let cell = |cell: &str| cell.trim().trim_matches('`').replace(',', "");
        rows.map(|row| row.split('|').collect::<Vec<_>>())
            .map(|cells| (cell(cells[1]), cell(cells[2])))
            .collect()
    }

    #[test]
    fn every_setting_stands_in_the_manual_with_its_default() {
        let wrangler = wrangler();
        let settings = wrangler["vars"][CONFIG].as_table().unwrap();
        let shown = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(items) if items.is_empty() => "[]".to_owned(),
            // In order, and without the commas that stand in numbers too.
            toml::Value::Table(_) => value.to_string().replace(',', ""),
            other => other.to_string(),
        };
        let mut declared: Vec<_> =
            settings.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        let mut documented_settings = documented("| setting | default | |");
        declared.sort();
        documented_settings.sort();
        assert_eq!(documented_settings, declared);
        let limits = wrangler["ratelimits"].as_array().unwrap();
        let limits: Vec<_> = limits
            .iter()
            .map(|limit| (limit["name"].as_str().unwrap().to_owned(), limit["simple"]["limit"].to_string()))
            .collect();
        assert_eq!(documented("| limit | a minute | |"), limits);
    }

    #[test]
    fn every_queue_is_consumed_and_has_a_dead_letter_queue() {
        let wrangler = wrangler();
        let producers = names(&wrangler, &["queues", "producers"], "queue");
        let mut bindings = Config::default().queues;
        bindings.push(DELIVERIES.to_owned());
        assert_eq!(names(&wrangler, &["queues", "producers"], "binding"), bindings);
        let consumers = wrangler["queues"]["consumers"].as_array().unwrap();
        let consumer = |queue: &str| consumers.iter().find(|entry| entry["queue"].as_str() == Some(queue));
        for queue in producers {
            let dead = consumer(&queue).unwrap()["dead_letter_queue"].as_str().unwrap();
            assert!(consumer(dead).is_some(), "{dead} has no consumer");
        }
    }

    #[test]
    fn every_object_class_has_sqlite() {
        let wrangler = wrangler();
        let migrated: Vec<_> = wrangler["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|migration| migration["new_sqlite_classes"].as_array().unwrap().clone())
            .collect();
        for class in names(&wrangler, &["durable_objects", "bindings"], "class_name") {
            assert!(migrated.contains(&class.clone().into()), "{class} has no migration");
        }
    }
}
