//! How well a road user is perceived, as CPMs state it.

/// What `objectPerceptionQuality` is made of (TS 103 324 7.1.8.6): moving averages of detection success and of the
/// detector's confidence, and the object's age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerceptionQuality {
    detection_success: f64,
    detection_confidence: f64,
}

impl PerceptionQuality {
    /// Weight of the newest frame in the moving averages.
    const ALPHA: f64 = 0.5;

    pub(super) fn new(score: f32) -> Self {
        Self { detection_success: 1.0, detection_confidence: f64::from(score) }
    }

    pub(super) fn update(&mut self, detected: bool, score: f32) {
        let (success, confidence) = if detected { (1.0, f64::from(score)) } else { (0.0, 0.0) };
        self.detection_success += Self::ALPHA * (success - self.detection_success);
        self.detection_confidence += Self::ALPHA * (confidence - self.detection_confidence);
    }

    /// `objectPerceptionQuality`, 0 to 15, at an object age: the mean, each part in 0..=15, of detection success,
    /// detection confidence and age (one for each 100 ms, full from 1.5 s), equally weighted.
    pub fn rating(&self, age_s: f64) -> u8 {
        let parts = [self.detection_success * 15.0, self.detection_confidence * 15.0, age_s * 10.0];
        let sum: f64 = parts.iter().map(|part| part.clamp(0.0, 15.0).floor()).sum();
        (sum / 3.0) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perception_quality_follows_ts_103_324_7_1_8_6() {
        let mut quality = PerceptionQuality::new(0.8);
        assert_eq!(quality.rating(0.0), 9, "(15 + 12) / 3");
        assert_eq!(quality.rating(0.25), 9, "(15 + 12 + 2) / 3");
        assert_eq!(quality.rating(60.0), 14, "(15 + 12 + 15) / 3");
        quality.update(false, 0.8);
        assert_eq!(quality.rating(60.0), (7 + 6 + 15) / 3, "one frame of two missed");
        quality.update(true, 1.0);
        assert_eq!(quality.rating(60.0), (11 + 10 + 15) / 3);
    }
}
