//! Characters and signs: number plates, destination boards, traffic signs.
//!
//! In: a number and a place on the panel, both coordinates 0 to 1 from its lower left. Out: a colour.

use super::light::Rgb;

/// Five columns by seven rows a character; a byte a row, the top row first, the left column in bit 4. 0–9, then A–Z.
const FONT: [[u8; 7]; 36] = [
    [14, 17, 19, 21, 25, 17, 14],
    [4, 12, 4, 4, 4, 4, 14],
    [14, 17, 1, 2, 4, 8, 31],
    [31, 2, 4, 2, 1, 17, 14],
    [2, 6, 10, 18, 31, 2, 2],
    [31, 16, 30, 1, 1, 17, 14],
    [6, 8, 16, 30, 17, 17, 14],
    [31, 1, 2, 4, 8, 8, 8],
    [14, 17, 17, 14, 17, 17, 14],
    [14, 17, 17, 15, 1, 2, 12],
    [14, 17, 17, 31, 17, 17, 17],
    [30, 17, 17, 30, 17, 17, 30],
    [14, 17, 16, 16, 16, 17, 14],
    [28, 18, 17, 17, 17, 18, 28],
    [31, 16, 16, 30, 16, 16, 31],
    [31, 16, 16, 30, 16, 16, 16],
    [14, 17, 16, 23, 17, 17, 15],
    [17, 17, 17, 31, 17, 17, 17],
    [14, 4, 4, 4, 4, 4, 14],
    [7, 2, 2, 2, 2, 18, 12],
    [17, 18, 20, 24, 20, 18, 17],
    [16, 16, 16, 16, 16, 16, 31],
    [17, 27, 21, 21, 17, 17, 17],
    [17, 17, 25, 21, 19, 17, 17],
    [14, 17, 17, 17, 17, 17, 14],
    [30, 17, 17, 30, 16, 16, 16],
    [14, 17, 17, 17, 21, 18, 13],
    [30, 17, 17, 30, 20, 18, 17],
    [15, 16, 16, 14, 1, 1, 30],
    [31, 4, 4, 4, 4, 4, 4],
    [17, 17, 17, 17, 17, 17, 14],
    [17, 17, 17, 17, 17, 10, 4],
    [17, 17, 17, 21, 21, 21, 10],
    [17, 17, 10, 4, 10, 17, 17],
    [17, 17, 17, 10, 4, 4, 4],
    [31, 1, 2, 4, 8, 16, 31],
];

/// Whether a character's ink covers a place of its cell.
fn ink(glyph: usize, x: f32, y: f32) -> bool {
    let (column, row) = ((x * 6.0) as usize, ((1.0 - y) * 7.0) as usize);
    column < 5 && row < 7 && FONT[glyph % 36][row] >> (4 - column) & 1 == 1
}

fn glyph_of(text: u8) -> Option<usize> {
    match text {
        b'0'..=b'9' => Some(usize::from(text - b'0')),
        b'A'..=b'Z' => Some(usize::from(text - b'A') + 10),
        _ => None,
    }
}

/// Whether a text's ink covers a place of a panel.
fn text_ink(text: &[u8], u: f32, v: f32) -> bool {
    let cell = u * text.len() as f32;
    let at = (cell.max(0.0) as usize).min(text.len() - 1);
    (0.0..1.0).contains(&u)
        && (0.0..1.0).contains(&v)
        && glyph_of(text[at]).is_some_and(|g| ink(g, cell - at as f32 + 0.06, v))
}

/// The characters of a vehicle's plate: two letters, three digits, two letters, of no country.
pub(crate) fn plate_text(number: u32) -> [u8; 7] {
    let mut rest = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    std::array::from_fn(|i| {
        let (base, first) = if (2..5).contains(&i) { (10, b'0') } else { (26, b'A') };
        let digit = (rest % base) as u8;
        rest /= base;
        first + digit
    })
}

pub(crate) fn plate(number: u32, uv: [f32; 2]) -> Rgb {
    let [u, v] = uv;
    if !(0.075..=0.925).contains(&u) {
        return [0.02, 0.06, 0.30];
    }
    let on = text_ink(&plate_text(number), (u - 0.11) / 0.79, (v - 0.14) / 0.72);
    if on { [0.012, 0.012, 0.016] } else { [0.72, 0.72, 0.69] }
}

/// A board of amber lamps with a line number and a place.
pub(crate) fn board(number: u32, uv: [f32; 2]) -> Rgb {
    const PLACES: [&[u8; 8]; 4] = [b"STATION ", b"CENTRE  ", b"HOSPITAL", b"AIRPORT "];
    let mut text = *b"00 CENTRE  ";
    text[0] = b'1' + (number % 9) as u8;
    text[1] = b'0' + (number / 9 % 10) as u8;
    text[3..].copy_from_slice(PLACES[(number / 90 % 4) as usize]);
    let on = text_ink(&text, (uv[0] - 0.03) / 0.94, (uv[1] - 0.15) / 0.70);
    if on { [1.6, 0.75, 0.06] } else { [0.012, 0.010, 0.008] }
}

/// Traffic signs: 0 give way, 1 stop, 2 pedestrian crossing, 3 speed limit of 50.
pub(crate) fn sign(number: u8, uv: [f32; 2]) -> Rgb {
    const RED: Rgb = [0.52, 0.02, 0.025];
    const WHITE: Rgb = [0.74, 0.74, 0.72];
    const BLUE: Rgb = [0.02, 0.10, 0.42];
    let (x, y) = (uv[0] - 0.5, uv[1] - 0.5);
    match number {
        0 => {
            // Distance to the nearest side of the triangle that stands on its tip, of an inradius of a quarter.
            let edge = [(0.0, 1.0), (0.866, -0.5), (-0.866, -0.5)].map(|(a, b)| 0.25 - (x * a + y * b));
            if edge.iter().any(|e| *e < 0.065) { RED } else { WHITE }
        }
        1 if text_ink(b"STOP", (uv[0] - 0.14) / 0.72, (uv[1] - 0.36) / 0.28) => WHITE,
        1 => {
            if x.abs().max(y.abs()) > 0.435 {
                WHITE
            } else {
                RED
            }
        }
        2 => {
            let tip = (y + 0.16) / 0.40;
            let inside = (0.0..1.0).contains(&tip) && x.abs() < 0.24 * (1.0 - tip);
            let figure = x.abs() < 0.035 && tip > 0.12 && tip < 0.62 || x.hypot(y - 0.07) < 0.035;
            if inside && !figure {
                WHITE
            } else if inside {
                [0.02; 3]
            } else {
                BLUE
            }
        }
        _ => {
            let r = x.hypot(y);
            let on = text_ink(b"50", (uv[0] - 0.27) / 0.48, (uv[1] - 0.33) / 0.34);
            if r > 0.37 {
                RED
            } else if on {
                [0.02; 3]
            } else {
                WHITE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_differ_and_have_ink() {
        assert_ne!(plate_text(1), plate_text(2));
        assert!(plate_text(77).iter().all(|c| glyph_of(*c).is_some()));
        let dark =
            (0..5000).filter(|k| plate(9, [(k % 100) as f32 / 100.0, (k / 100) as f32 / 50.0])[0] < 0.015).count();
        assert!((700..2400).contains(&dark), "{dark}");
    }

    #[test]
    fn an_l_is_a_column_and_a_foot() {
        assert!(ink(21, 0.02, 0.9) && !ink(21, 0.5, 0.9) && ink(21, 0.5, 0.02));
    }
}
