//! What a customer may write into an item: `POST`, `PUT` and `PATCH`.

use std::borrow::Cow;

use serde_json::Value;

use super::field::Form;
use super::sort::DEFINITION;
use super::{ID_MAX, Item, Sort};
use crate::Reject;
use crate::fields::{Fields, pointer, text};

/// What a member of the body called `id` may say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// It names the item.
    Free,
    /// The item has its name already.
    Fixed,
}

impl Item {
    /// The item that a `POST` asks for. It gets the id `fresh` unless the body chooses one.
    ///
    /// # Errors
    /// Everything that is wrong with the body, field by field. A field that the sort does not have is an error: a
    /// misspelt `ends_at` must not make a campaign that costs for ever.
    pub fn create(sort: Sort, body: &[u8], fresh: String, now_ms: i64) -> Result<Self, Vec<Reject>> {
        Self::blank(sort, fresh, now_ms).written(body, Naming::Free, now_ms)
    }

    /// The item that a `PUT` to an id asks for where there is none.
    ///
    /// # Errors
    /// As [`Item::create`]; or the id in the address is none that an item can have.
    pub fn create_as(sort: Sort, id: &str, body: &[u8], now_ms: i64) -> Result<Self, Vec<Reject>> {
        let id = named(&id.into()).map_err(|detail| vec![Reject::new("/id", detail)])?;
        Self::blank(sort, id, now_ms).written(body, Naming::Fixed, now_ms)
    }

    /// The item after a `PATCH` (JSON merge patch, RFC 7396): what the body leaves out stays, null clears.
    ///
    /// A patch that changes nothing gives the same item with the same version: a client's retry costs no write.
    ///
    /// # Errors
    /// As [`Item::create`].
    pub fn edit(&self, body: &[u8], now_ms: i64) -> Result<Self, Vec<Reject>> {
        self.clone().written(body, Naming::Fixed, now_ms)
    }

    /// The item after a `PUT`: what the body leaves out is as in a new one. A deleted item is back.
    ///
    /// # Errors
    /// As [`Item::create`].
    pub fn replace(&self, body: &[u8], now_ms: i64) -> Result<Self, Vec<Reject>> {
        let mut blank = Self {
            created_at_ms: self.created_at_ms,
            version: self.version,
            ..Self::blank(self.sort, self.id.clone(), now_ms)
        };
        for ((kept, mine), field) in blank.values.iter_mut().zip(&self.values).zip(self.sort.fields()) {
            if matches!(field.form, Form::Own(_)) {
                kept.clone_from(mine);
            }
        }
        let mut item = blank.written(body, Naming::Fixed, now_ms)?;
        if DEFINITION.iter().all(|name| item.value(name) == self.value(name)) {
            item.defined_at_ms = self.defined_at_ms;
        }
        let same = item.values == self.values && !self.is_deleted();
        Ok(if same { self.clone() } else { item })
    }

    /// The item out of sight.
    #[must_use]
    pub fn delete(&self, now_ms: i64) -> Self {
        Self { deleted_at_ms: Some(now_ms), ..self.clone() }.counted(now_ms)
    }

    /// The item back again.
    #[must_use]
    pub fn restore(&self, now_ms: i64) -> Self {
        Self { deleted_at_ms: None, ..self.clone() }.counted(now_ms)
    }

    /// The item with what the service itself sets: nothing is judged.
    #[must_use]
    pub fn set(&self, name: &str, value: Value, now_ms: i64) -> Self {
        let mut item = self.clone();
        let place = self.sort.fields().iter().position(|field| field.name == name);
        if let Some(kept) = place.and_then(|place| item.values.get_mut(place)) {
            *kept = value;
        }
        item.counted(now_ms)
    }

    fn counted(mut self, now_ms: i64) -> Self {
        self.updated_at_ms = now_ms;
        self.version = self.version.saturating_add(1);
        self
    }

    fn written(mut self, body: &[u8], naming: Naming, now_ms: i64) -> Result<Self, Vec<Reject>> {
        let mut rejects = Vec::new();
        let mut changed = self.version == 0;
        for (name, value) in Fields::read(body)?.iter() {
            match self.write(name, value, naming) {
                Ok(differs) => {
                    changed |= differs;
                    if differs && self.sort == Sort::Funnel && DEFINITION.contains(&name) {
                        self.defined_at_ms = now_ms;
                    }
                }
                Err(wrong) => rejects
                    .extend(wrong.into_iter().map(|(at, detail)| Reject::new(pointer(name) + &at, detail))),
            }
        }
        for reject in self.sort.contradictions(&self) {
            // What is wrong within a field says more than what is wrong with the field.
            let told =
                |earlier: &Reject| earlier.pointer.split('/').nth(1) == reject.pointer.split('/').nth(1);
            if !rejects.iter().any(told) {
                rejects.push(reject);
            }
        }
        if !rejects.is_empty() {
            return Err(rejects);
        }
        Ok(if changed { self.counted(now_ms) } else { self })
    }

    /// Whether the member changes the item.
    fn write(
        &mut self,
        name: &str,
        value: &Value,
        naming: Naming,
    ) -> Result<bool, Vec<(String, Cow<'static, str>)>> {
        let at_it = |detail: Cow<'static, str>| vec![(String::new(), detail)];
        let here = |detail| Err(at_it(detail));
        if name == "id" {
            if value.is_null() || *value == *self.id {
                return Ok(false);
            }
            if naming == Naming::Fixed {
                return here("cannot be changed; create another".into());
            }
            self.id = named(value).map_err(|detail| at_it(detail.into()))?;
            return Ok(true);
        }
        if matches!(name, "created_at" | "updated_at" | "deleted_at" | "version" | "complete_from") {
            return here("is set by the service".into());
        }
        let place = self.sort.fields().iter().position(|field| field.name == name);
        let field = place.and_then(|place| self.sort.fields().get(place));
        let kept = place.and_then(|place| self.values.get_mut(place));
        let (Some(field), Some(kept)) = (field, kept) else {
            return here(format!("is not a field of a {}", self.sort.name()).into());
        };
        if matches!(field.form, Form::Own(_)) && (*value == *kept || *value == field.form.absent()) {
            return Ok(false);
        }
        let read = field.form.read_all(value)?;
        let differs = read != *kept;
        *kept = read;
        Ok(differs)
    }
}

/// An id as a customer may choose it.
fn named(value: &Value) -> Result<String, &'static str> {
    const TOO_LONG: &str = "is longer than 128 characters or 256 bytes";
    let id = text(Some(value), (ID_MAX.0, TOO_LONG))?;
    if id.is_empty() {
        return Err("is empty");
    }
    if id.len() > ID_MAX.1 { Err(TOO_LONG) } else { Ok(id) }
}
