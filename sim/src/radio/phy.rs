//! Whether a frame of so many bytes is read at so much power above noise.

/// What carries frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modulation {
    /// IEEE 802.11p, 10 MHz, QPSK 1/2, 6 Mbit/s: the default of ITS-G5 (ETSI EN 302 663).
    ItsG5,
    /// LTE-V2X PC5, QPSK with turbo code.
    Pc5,
}

/// What PC5's turbo code gains on the convolutional code of 802.11p, decibels.
const TURBO_GAIN_DB: f64 = 2.5;

/// Share of frames that are lost at a signal-to-noise ratio.
pub(crate) fn packet_error_rate(modulation: Modulation, snr_db: f64, bytes: usize) -> f64 {
    let gain_db = match modulation {
        Modulation::ItsG5 => 0.0,
        Modulation::Pc5 => TURBO_GAIN_DB,
    };
    let snr = 10f64.powf((snr_db + gain_db) / 10.0);
    // Coded bits of QPSK, then the union bound of the rate-1/2 code of constraint length 7 (Frenger et al. 1999), as the
    // error model that NIST gave to ns-3 has it. It is for hard decisions, about 2 dB worse than soft ones: what real
    // receivers lose otherwise.
    let raw = 0.5 * erfc((snr / 2.0).sqrt());
    let d = (4.0 * raw * (1.0 - raw)).sqrt();
    const WEIGHTS: [f64; 9] =
        [36.0, 211.0, 1404.0, 11_633.0, 77_433.0, 502_690.0, 3_322_763.0, 21_292_910.0, 134_365_911.0];
    let sum: f64 = WEIGHTS.iter().enumerate().map(|(i, weight)| weight * d.powi(10 + 2 * i as i32)).sum();
    let bit = (0.5 * sum).min(0.5);
    1.0 - (1.0 - bit).powf(8.0 * bytes as f64)
}

/// Time on air of an 802.11p frame at 6 Mbit/s in 10 MHz: preamble and signal field of 40 µs, symbols of 8 µs with 48 bits.
pub(crate) fn its_g5_airtime_s(bytes: usize) -> f64 {
    let symbols = (16.0 + 6.0 + 8.0 * bytes as f64) / 48.0;
    40e-6 + 8e-6 * symbols.ceil()
}

/// Complementary error function, to 1.2e-7 (Numerical Recipes' Chebyshev fit).
fn erfc(x: f64) -> f64 {
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.5 * z);
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let polynomial = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let value = t * (-z * z + polynomial).exp();
    if x >= 0.0 { value } else { 2.0 - value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_fall_with_power_and_rise_with_length() {
        for (x, expected) in
            [(0.0, 1.0), (0.5, 0.479_500_1), (1.0, 0.157_299_2), (2.0, 0.004_677_7), (-1.0, 1.842_700_8)]
        {
            assert!((erfc(x) - expected).abs() < 1e-6, "{x}");
        }
        let per = |snr, bytes| packet_error_rate(Modulation::ItsG5, snr, bytes);
        assert!(per(3.0, 300) > 0.9 && per(10.0, 300) < 0.01, "{} {}", per(3.0, 300), per(10.0, 300));
        assert!(per(6.3, 1000) > 1.5 * per(6.3, 100));
        assert!(packet_error_rate(Modulation::Pc5, 4.5, 300) < 0.5 * per(4.5, 300));
    }

    #[test]
    fn a_frame_takes_its_time() {
        // 350 bytes: 2,822 bits in 59 symbols.
        assert!((its_g5_airtime_s(350) - 512e-6).abs() < 1e-12);
    }
}
