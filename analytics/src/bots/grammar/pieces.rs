//! A user agent taken apart: products, and what stands in parentheses.

/// A piece of a user agent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'t> {
    Product(&'t [u8]),
    /// What stands in parentheses, others in it included.
    Aside(&'t [u8]),
}

impl<'t> Piece<'t> {
    /// The first number of a product's version.
    pub(super) fn major(self) -> &'t [u8] {
        let Self::Product(product) = self else { return b"" };
        let version = name_and_version(product).1.unwrap_or_default();
        let digits = version.iter().take_while(|byte| byte.is_ascii_digit()).count();
        version.get(..digits).unwrap_or_default()
    }
}

pub(super) fn name_and_version(product: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = product.splitn(2, |byte| *byte == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}

pub(super) fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (first, inside) = rest.split_first()?;
        if *first != b'(' {
            let (product, after) =
                rest.split_at(rest.iter().position(|byte| b" (".contains(byte)).unwrap_or(rest.len()));
            rest = after;
            return Some(Piece::Product(product));
        }
        let mut depth = 1;
        let end = inside.iter().position(|byte| {
            depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
            depth == 0
        });
        let (aside, after) = inside.split_at(end.unwrap_or(inside.len()));
        rest = after.get(1..).unwrap_or_default();
        Some(Piece::Aside(aside))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_product_has_a_major_version() {
        for (product, major) in [("Name/45.0.1", "45"), ("Name/x", ""), ("Name", ""), ("Name/7", "7")] {
            assert_eq!(Piece::Product(product.as_bytes()).major(), major.as_bytes(), "{product}");
        }
        assert_eq!(Piece::Aside(b"Name/45.0").major(), b"");
    }

    proptest! {
        #[test]
        fn any_text_is_in_pieces(text in "\\((Windows NT 1|X11; Linux|[a-z();/. ]|.){0,60}") {
            let held: usize = pieces(text.as_bytes())
                .map(|piece| match piece {
                    Piece::Product(text) | Piece::Aside(text) => text.len(),
                })
                .sum();
            prop_assert!(held <= text.len());
        }
    }
}
