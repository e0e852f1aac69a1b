//! Wire forms that only IVIM, POIM and MCM use; a build without an allocator has none of them.

#[cfg(test)]
use crate::uper::element::Coded;
use crate::uper::quantity::quantities;

quantities! {
    // name: Rust type, range, unit of one step, special codes.
    TenKilograms: u32 [0..=65_535] times 10;
    VehicleHeight: f32 [1..=128] upto 20.0, above 127, unavailable 128;
    OccupancyRate: u8 [1..=101] times 1, unavailable 101;
    NumberOfSpaces: u16 [1..=16_383] times 1, unavailable 16_383;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_quantity_is_its_own_again() {
        for (name, min, max, recode) in QUANTITIES {
            for code in *min..=*max {
                assert_eq!(recode(code), Ok(code), "{name}");
            }
        }
    }

    #[test]
    fn a_height_rounds_up_and_has_its_marks_at_the_end() {
        use crate::cdd::Reading;
        assert_eq!(VehicleHeight::to_code(&Reading::of(1.91)), Ok(39));
        assert_eq!(VehicleHeight::to_code(&Reading::of(6.3)), Ok(126));
        assert_eq!(VehicleHeight::to_code(&Reading::of(7.0)), Ok(127));
        assert_eq!(VehicleHeight::to_code(&None), Ok(128));
    }
}
