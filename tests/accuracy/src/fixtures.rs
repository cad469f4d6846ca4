//! uap-core's cases and rules, out of the package that ships them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// A user agent and what uap-core makes of it; `brand` and `model` in the cases of devices only.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    #[serde(rename = "user_agent_string")]
    pub(crate) user_agent: String,
    pub(crate) family: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) brand: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) model: String,
}

#[derive(Deserialize)]
struct File {
    test_cases: Vec<Case>,
}

/// All that is read of uap-core.
pub(crate) struct Fixtures {
    pub(crate) browsers: Vec<Case>,
    pub(crate) systems: Vec<Case>,
    pub(crate) devices: Vec<Case>,
    /// The text of `regexes.yaml`.
    pub(crate) rules: String,
}

/// Every fifth case was never looked at while the tables were made.
pub(crate) fn held_out(place: usize) -> bool {
    place % 5 == 4
}

impl Fixtures {
    pub(crate) fn load() -> Result<Self, Box<dyn Error>> {
        let folder = package("ua-parser")?.join("uap-core");
        let cases = |name: &str| -> Result<Vec<Case>, Box<dyn Error>> {
            let text = std::fs::read_to_string(folder.join("tests").join(name))?;
            Ok(serde_yaml::from_str::<File>(&text)?.test_cases)
        };
        Ok(Self {
            browsers: cases("test_ua.yaml")?,
            systems: cases("test_os.yaml")?,
            devices: cases("test_device.yaml")?,
            rules: std::fs::read_to_string(folder.join("regexes.yaml"))?,
        })
    }
}

/// Where cargo keeps a package's files.
fn package(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path", manifest])
        .output()?;
    let told: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let packages = told["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    packages
        .iter()
        .find(|package| package["name"] == name)
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent().map(Path::to_path_buf))
        .ok_or_else(|| format!("{name} is not among the packages").into())
}

/// Models such as `8020` and nothing at all stand there without quotes.
fn text<'de, D: serde::Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(match serde_yaml::Value::deserialize(value)? {
        serde_yaml::Value::String(text) => text,
        serde_yaml::Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}
