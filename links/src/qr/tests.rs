//! Pictures are read back by decoders that are not ours. Only the drawing's path is painted here.

use proptest::prelude::*;

use super::*;
use crate::Token;
use crate::link::tests::link;

/// Shades of grey, row by row.
struct Painted {
    side: usize,
    greys: Vec<u8>,
}

impl Painted {
    /// What a reader sees in the picture; a transparent one lies on white.
    fn of(image: &Image, options: &Options) -> Self {
        let page = options.size as usize;
        match image.format {
            Format::Png => Self::pixels(&image.bytes, page),
            Format::Svg => Self::shapes(std::str::from_utf8(&image.bytes).unwrap()),
        }
    }

    fn pixels(bytes: &[u8], size: usize) -> Self {
        let mut decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(::png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (size, size));
        let greys = bytes.chunks(info.color_type.samples()).map(|pixel| match *pixel {
            [_, _, _, 0] => 255,
            [r, g, b, ..] => grey([r, g, b]),
            _ => panic!("a pixel has 3 or 4 samples"),
        });
        Self { side: size, greys: greys.collect() }
    }

    /// Four pixels a module. Every subpath has to be a rectangle that is drawn as `Mx yhWvHHxz`.
    fn shapes(svg: &str) -> Self {
        const SCALE: usize = 4;
        let attribute = |text: &str, name: &str| -> String {
            text.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0.to_owned()
        };
        let view = attribute(svg, "viewBox");
        let side: usize = view.strip_prefix("0 0 ").unwrap().split_once(' ').unwrap().0.parse().unwrap();
        let mut greys = vec![255; side * SCALE * side * SCALE];
        for path in svg.split("<path").skip(1) {
            let fill = attribute(path, "fill");
            let channel = |at: usize| u8::from_str_radix(&fill[at..at + 2], 16).unwrap();
            let shade = grey([channel(1), channel(3), channel(5)]);
            for shape in attribute(path, "d").split_terminator('z') {
                let numbers: Vec<usize> = shape[1..]
                    .split(|c: char| !c.is_ascii_digit())
                    .map(|number| number.parse().unwrap())
                    .collect();
                let commands: String = shape.chars().filter(|c| !c.is_ascii_digit()).collect();
                let [x, y, wide, high, back] = numbers[..] else { panic!("{shape}") };
                assert_eq!((&*commands, back), ("M hvH", x), "{shape}");
                for row in y * SCALE..(y + high) * SCALE {
                    let row = row * side * SCALE;
                    greys[row + x * SCALE..row + (x + wide) * SCALE].fill(shade);
                }
            }
        }
        Self { side: side * SCALE, greys }
    }

    /// The text of the only code that the decoder finds on a page of this shade with the picture in its middle.
    fn read(&self, page_grey: u8) -> Result<String, String> {
        let (border, side) = (self.side / 8, self.side);
        let inside = |at: usize| at.checked_sub(border).filter(|&at| at < side);
        let page = side + 2 * border;
        let mut page =
            rqrr::PreparedImage::prepare_from_greyscale(page, page, |x, y| match (inside(x), inside(y)) {
                (Some(x), Some(y)) => self.greys[y * side + x],
                _ => page_grey,
            });
        match &page.detect_grids()[..] {
            [grid] => grid.decode().map(|(_, text)| text).map_err(|error| error.to_string()),
            grids => Err(format!("{} codes found", grids.len())),
        }
    }
}

fn grey([r, g, b]: [u8; 3]) -> u8 {
    ((306 * u32::from(r) + 601 * u32::from(g) + 117 * u32::from(b)) >> 10) as u8
}

fn options(query: &str) -> Options {
    Options::parse(query).unwrap_or_else(|rejects| panic!("{query}: {rejects:?}"))
}

fn drawn(text: &str, query: &str) -> Image {
    draw(text, &options(query)).unwrap_or_else(|reject| panic!("{query}: {reject:?}"))
}

fn read(text: &str, query: &str) -> Result<String, String> {
    let options = options(query);
    let ground = options.bg.map_or(255, |bg| grey(bg.0));
    Painted::of(&drawn(text, query), &options).read(ground)
}

const ADDRESS: &str = "https://go.example/r/spring?src=qr";

fn named(token: &str) -> Link {
    Link { token: Token::parse(token).unwrap(), ..link("https://example.com/") }
}

#[test]
fn a_code_holds_the_address_and_says_that_it_was_scanned() {
    let address = |token| named(token).code_url("https://go.example");
    assert_eq!(address("spring"), ADDRESS);
    assert_eq!(address("東"), "https://go.example/r/%E6%9D%B1?src=qr");
    let own = Link { domain: "own.example".into(), ..named("spring") };
    assert_eq!(own.code_url("https://go.example"), "https://own.example/r/spring?src=qr");
}

#[test]
fn the_longest_address_fits_at_every_level() {
    let origin = format!("https://{}:65535", ["a".repeat(63).as_str(); 4].join(".").split_off(2));
    let address = named(&"𝟘".repeat(64)).code_url(&origin);
    assert_eq!(address.len(), 1_045);
    for query in ["ec=H&format=svg", "ec=H&format=png&size=600", "ec=L&format=png"] {
        assert_eq!(read(&address, query).unwrap(), address, "{query}");
    }
}

#[test]
fn pictures_are_small() {
    for (query, most) in [
        ("format=svg", 3_900),
        ("format=png", 2_100),
        ("format=png&size=256", 1_300),
        ("format=png&size=4096", 24_000),
    ] {
        let bytes = drawn(ADDRESS, query).bytes.len();
        assert!((most * 3 / 4..=most).contains(&bytes), "{query}: {bytes}");
    }
}

#[test]
fn a_drawing_is_one_path_on_a_ground() {
    let svg = String::from_utf8(drawn(ADDRESS, "size=300&margin=2&fg=036").bytes).unwrap();
    let start = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"300\" height=\"300\" viewBox=\"0 0 33 33\" \
        shape-rendering=\"crispEdges\"><path fill=\"#ffffff\" d=\"M0 0h33v33H0z\"/><path fill=\"#003366\" d=\"M2 2h7v1H2z";
    assert!(svg.starts_with(start), "{svg}");
    assert!(svg.ends_with("z\"/></svg>"));
    let bare = String::from_utf8(drawn(ADDRESS, "bg=transparent").bytes).unwrap();
    assert_eq!(bare.matches("<path").count(), 1);
}

#[test]
fn a_picture_that_is_too_small_for_the_code_is_refused() {
    let reject = draw(&"x".repeat(200), &options("size=64&format=png")).unwrap_err();
    assert_eq!(
        (&*reject.pointer, &*reject.detail),
        ("/size", "is too small: the code and its margin take 65 pixels")
    );
    assert!(draw(&"x".repeat(200), &options("size=65&format=png")).is_ok());
    assert_eq!(draw(&"x".repeat(2_954), &options("ec=L&size=4096")).unwrap_err().pointer, "/ec");
}

#[test]
fn a_tag_tells_pictures_apart() {
    assert_eq!(drawn(ADDRESS, "").tag(), drawn(ADDRESS, "size=512").tag());
    assert_ne!(drawn(ADDRESS, "").tag(), drawn(ADDRESS, "size=513").tag());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_code_is_read_back_by_a_decoder_that_is_not_ours(
        token in "[a-zA-Z0-9_-]{1,20}|[あ-んа-я४-९é]{1,12}",
        origin in "https?://[a-z]{1,12}\\.example(:[1-9][0-9]{1,3})?",
        format in "svg|png",
        ec in "[LMQHlmqh]",
        (size, margin) in (300..800u32, 0..=16u32),
        (fg, bg) in ("[0-9a-f]{6}", "[0-9a-f]{3}|fff|transparent"),
    ) {
        let token = Token::parse(&token).unwrap_or(Token::generate(7));
        let address = Link { token, ..link("https://example.com/") }.code_url(&origin);
        let query = format!("format={format}&ec={ec}&size={size}&margin={margin}&fg={fg}&bg={bg}");
        prop_assume!(Options::parse(&query).is_ok()); // the colours are not too much alike
        prop_assert_eq!(read(&address, &query), Ok(address), "{}", query);
    }

    /// Pixel by pixel: whatever text, each picture shows the library's modules and nothing else.
    #[test]
    fn both_pictures_show_the_same_code(text in "\\PC{0,60}", size in 100..600u32, margin in 0..=4u32, bg in "bg=transparent|") {
        let picture = |format| {
            let query = format!("format={format}&size={size}&margin={margin}&{bg}");
            Painted::of(&drawn(&text, &query), &options(&query))
        };
        let (png, svg) = (picture("png"), picture("svg"));
        let (size, side) = (size as usize, svg.side / 4);
        let scale = size / side;
        let before = (size - scale * side) / 2;
        let module = |at: usize| at.checked_sub(before).map(|at| at / scale).filter(|&at| at < side);
        for (at, &grey) in png.greys.iter().enumerate() {
            let wanted = match (module(at % size), module(at / size)) {
                (Some(x), Some(y)) => svg.greys[y * 4 * svg.side + x * 4],
                _ => 255,
            };
            prop_assert_eq!(grey, wanted);
        }
    }

    #[test]
    fn pictures_come_out_the_same_each_time(text in any::<String>(), format in "svg|png") {
        let query = format!("format={format}");
        prop_assert_eq!(draw(&text, &options(&query)), draw(&text, &options(&query)));
    }
}
