//! What a track looks like, and how much a detection looks like it.
//!
//! In: the appearances of a track's detections. Out: how different another one is. A track keeps a moving mean of each cell
//! (StrongSORT's feature bank: Du et al., IEEE T-MM 2023), by time and not by frames; a cell that was hidden keeps what it had.
//! Absent: where anybody is. The constants were measured on rendered pictures, see `docs/perception.md`.

use masa_inference::Appearance;

/// Time after which half of a look is new, seconds.
const HALF_S: f32 = 1.0;
/// Differing by this much, two looks are as likely of one road user as of two; levels of 255.
const EVEN_LEVELS: f32 = 45.0;
/// How much more a difference of colour counts than one of brightness.
const CHROMA: f32 = 2.0;
/// Less cells than this in common say nothing.
const LEAST_CELLS: usize = Appearance::CELLS / 3;
/// Share of a brightness difference common to all cells that is taken for light, not looks.
const LIGHT: f32 = 0.5;

/// What a track looks like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    cells: [Option<[f32; 3]>; Appearance::CELLS],
}

impl Look {
    /// Takes how it looks now, `dt_s` after it was last seen.
    pub(crate) fn see(&mut self, now: &Appearance, dt_s: f64) {
        let share = dt_s as f32 / (dt_s as f32 + HALF_S);
        for (known, seen) in self.cells.iter_mut().zip(now.cells()) {
            let Some(seen) = seen.map(|cell| cell.map(f32::from)) else { continue };
            *known = Some(match *known {
                Some(known) => std::array::from_fn(|i| known[i] + share * (seen[i] - known[i])),
                None => seen,
            });
        }
    }

    /// How different something else looks: −1 the same, 0 as likely the same as another, 1 another; `None` where too little of
    /// both shows.
    pub(crate) fn contrast(&self, other: &Appearance) -> Option<f32> {
        let both = || self.cells.iter().zip(other.cells()).filter_map(|(known, seen)| Some((known.as_ref()?, seen?)));
        let count = both().count();
        if count < LEAST_CELLS {
            return None;
        }
        let differences = || both().map(|(known, seen)| std::array::from_fn(|i| f32::from(seen[i]) - known[i]));
        let light = LIGHT * differences().map(|[brightness, ..]: [f32; 3]| brightness).sum::<f32>() / count as f32;
        let levels = |[brightness, blue, red]: [f32; 3]| (brightness - light).abs() + CHROMA * (blue.abs() + red.abs());
        let mean = differences().map(levels).sum::<f32>() / count as f32;
        Some((mean / EVEN_LEVELS - 1.0).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(cell: [u8; 3]) -> Appearance {
        Appearance::from_bytes(&cell.repeat(Appearance::CELLS)).unwrap()
    }

    /// The first `count` cells of one colour, the others hidden.
    fn part(cell: [u8; 3], count: usize) -> Appearance {
        let mut bytes = cell.repeat(count);
        bytes.resize(Appearance::BYTES, 0);
        Appearance::from_bytes(&bytes).unwrap()
    }

    const RED: [u8; 3] = [90, 110, 200];
    const BLUE: [u8; 3] = [90, 200, 110];

    #[test]
    fn the_same_is_alike_another_colour_is_not_and_a_cloud_makes_less_of_a_difference() {
        let mut look = Look::default();
        assert_eq!(look.contrast(&plain(RED)), None, "nothing is known yet");
        look.see(&plain(RED), 0.0);
        assert_eq!(look.contrast(&plain(RED)), Some(-1.0));
        assert_eq!(look.contrast(&plain(BLUE)), Some(1.0));
        let [brightness, blue, red] = RED;
        let shaded = look.contrast(&plain([brightness - 40, blue, red])).unwrap();
        let other = look.contrast(&plain([brightness, blue + 20, red - 20])).unwrap();
        assert!(shaded < -0.5 && shaded < other, "{shaded} {other}");
    }

    #[test]
    fn what_is_hidden_keeps_its_look_and_too_little_says_nothing() {
        let mut look = Look::default();
        look.see(&plain(RED), 0.0);
        let orange = [90, 120, 190];
        look.see(&part(orange, LEAST_CELLS), 1e6);
        assert!(look.contrast(&part(orange, LEAST_CELLS)).unwrap() < -0.99);
        assert_eq!(look.contrast(&part(orange, LEAST_CELLS - 1)), None);
        let whole = look.contrast(&plain(RED)).unwrap();
        assert!((-1.0..1.0).contains(&whole) && whole > -0.9, "{whole}");
    }

    #[test]
    fn a_look_changes_with_time_not_with_frames() {
        let after = |frames: u32| {
            let mut look = Look::default();
            look.see(&plain([100, 128, 128]), 0.0);
            for _ in 0..frames {
                look.see(&plain([120, 128, 128]), 0.2 / f64::from(frames));
            }
            look.cells[0].unwrap()[0]
        };
        assert!((after(2) - after(10)).abs() < 1.0, "{} {}", after(2), after(10));
    }
}
