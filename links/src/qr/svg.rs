//! The picture as a drawing.

use std::fmt::Write;

use super::{Modules, Options};

/// One filled path. A thick line through each row would be half as long, but comes out wrong where a program
/// scales shapes and leaves the width of lines, or cuts along outlines.
pub(super) fn draw(modules: &Modules, options: &Options) -> String {
    let (pixels, side) = (options.size, modules.side());
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">"#
    );
    if let Some(bg) = options.bg {
        let _ = write!(svg, r#"<path fill="{bg}" d="M0 0h{side}v{side}H0z"/>"#);
    }
    let _ = write!(svg, r#"<path fill="{}" d=""#, options.fg);
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let dark = modules.dark(x, y);
            let run = (x..side).take_while(|&x| modules.dark(x, y) == dark).count() as u32;
            if dark {
                let _ = write!(svg, "M{x} {y}h{run}v1H{x}z");
            }
            x += run;
        }
    }
    svg.push_str("\"/></svg>");
    svg
}
