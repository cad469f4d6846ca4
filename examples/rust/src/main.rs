//! A server's side of clicktrail: a link, a click that is sent twice, and the count of one.
//!
//! `CLICKTRAIL_URL=http://127.0.0.1:8787 CLICKTRAIL_KEY=dev cargo run --manifest-path examples/rust/Cargo.toml`

use std::env;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

struct Clicktrail {
    url: String,
    key: String,
}

impl Clicktrail {
    fn get(&self, path: &str) -> Result<Value, ureq::Error> {
        let request = ureq::get(format!("{}{path}", self.url));
        request.header("authorization", format!("Bearer {}", self.key)).call()?.body_mut().read_json()
    }

    /// Asks again what may pass. An event that arrived all the same is a duplicate, and counts once: its id was given before.
    fn post(&self, path: &str, body: &Value) -> Result<Value, ureq::Error> {
        let mut tries = 0;
        loop {
            let request = ureq::post(format!("{}{path}", self.url));
            let sent = request.header("authorization", format!("Bearer {}", self.key)).send_json(body);
            tries += 1;
            match sent {
                Ok(mut answer) => return answer.body_mut().read_json(),
                Err(ureq::Error::StatusCode(status)) if status != 429 && status < 500 => {
                    return Err(ureq::Error::StatusCode(status));
                }
                Err(error) if tries == 5 => return Err(error),
                Err(_) => sleep(Duration::from_secs(1 << tries)),
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let of = |name: &str, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.into());
    let service =
        Clicktrail { url: of("CLICKTRAIL_URL", "http://127.0.0.1:8787"), key: of("CLICKTRAIL_KEY", "dev") };
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let campaign = format!("rust-{now}");

    let link = json!({"token": campaign, "url": "https://example.com/", "campaign_id": campaign});
    println!("link {}", service.post("/api/links", &link)?["short_url"]);

    let click = json!({
        "event_id": format!("{campaign}-1"),
        "event_time": now,
        "page_url": "https://shop.example/",
        "campaign_id": campaign,
    });
    for _ in 0..2 {
        println!("event {}", service.post("/events/click", &click)?["status"]);
    }

    let report = format!("/stats/clicks?campaign_id={campaign}&include_bots=true");
    for _ in 0..60 {
        let counted = service.get(&report)?;
        // A duplicate is told with the next message, a moment later.
        if counted["totals"]["clicks"] == 1 && counted["totals"]["duplicates"] == 1 {
            println!(
                "counted {}, duplicates {}",
                counted["totals"]["clicks"], counted["totals"]["duplicates"]
            );
            return Ok(());
        }
        sleep(Duration::from_millis(500));
    }
    Err("not counted after 30 seconds".into())
}
