//! Random numbers: one stream for each purpose and owner, all from one seed.
//!
//! A stream depends on nothing but the seed, the purpose and the owner's number. So an added vehicle, sensor or thread
//! changes no other's luck, and a run can be continued from any point of view.

use rand_pcg::Pcg64Mcg;

/// The seed of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of one owner for one purpose. `purpose` is a constant text such as `"driver"` or `"camera noise"`;
    /// `owner` is the number of an actor, sensor or step.
    pub fn stream(self, purpose: &str, owner: u64) -> Pcg64Mcg {
        // FNV-1a over the purpose, then SplitMix64's finaliser over each part: streams of neighbours have nothing in common.
        let purpose = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let high = scramble(self.0 ^ scramble(purpose ^ scramble(owner)));
        let low = scramble(high ^ owner.rotate_left(32) ^ purpose);
        Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low))
    }
}

fn scramble(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn a_stream_repeats_and_differs_from_its_neighbours() {
        let draw = |seed, purpose, owner| -> u64 { Seed(seed).stream(purpose, owner).random() };
        assert_eq!(draw(1, "driver", 7), draw(1, "driver", 7));
        let others = [draw(1, "driver", 8), draw(2, "driver", 7), draw(1, "camera", 7)];
        assert!(others.iter().all(|other| *other != draw(1, "driver", 7)), "{others:?}");
    }
}
