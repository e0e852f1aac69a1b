//! Speed, acceleration, rotation and their accuracies.

use crate::cdd::Reading;
use crate::cdd::codec::{
    AccelerationConfidence, AccelerationMagnitudeValue, AccelerationValue, AngleDeg, AngularRate, ConfidenceDeg,
    CurvatureValue, SpeedConfidence, SpeedValue, SteeringConfidence, SteeringWheelAngleValue, VelocityComponentValue,
    YawRateValue,
};
use crate::uper::declare::{choice, enumerated, sequence};

sequence! {
    /// Speed with its accuracy (`Speed`).
    #[derive(Copy, Default)]
    pub struct Speed {
        /// Metres per second (0.01 m/s, up to 163.81 m/s).
        req value_mps: Option<Reading> = SpeedValue, "speedValue";
        /// 95 % accuracy, metres per second (0.01 m/s, up to 1.25 m/s).
        req confidence_mps: Option<Reading> = SpeedConfidence, "speedConfidence";
    }
}

sequence! {
    /// Acceleration along one axis (`AccelerationComponent`).
    #[derive(Copy, Default)]
    pub struct AccelerationComponent {
        /// Metres per second squared (0.1 m/s², ±15.9 m/s²).
        req value_mps2: Option<Reading> = AccelerationValue, "value";
        /// 95 % accuracy, metres per second squared (0.1 m/s², up to 10 m/s²).
        req confidence_mps2: Option<Reading> = AccelerationConfidence, "confidence";
    }
}

sequence! {
    /// Size of an acceleration (`AccelerationMagnitude`).
    #[derive(Copy, Default)]
    pub struct AccelerationMagnitude {
        /// Metres per second squared (0.1 m/s²).
        req value_mps2: Option<Reading> = AccelerationMagnitudeValue, "accelerationMagnitudeValue";
        /// 95 % accuracy, metres per second squared (0.1 m/s²).
        req confidence_mps2: Option<Reading> = AccelerationConfidence, "accelerationConfidence";
    }
}

sequence! {
    /// Curvature of the driven path (`Curvature`).
    #[derive(Copy, Default)]
    pub struct Curvature {
        /// 1/m (1e-4/m), positive to the left.
        req value_per_m: Option<Reading> = CurvatureValue, "curvatureValue";
        /// Accuracy class.
        req confidence: CurvatureConfidence = CurvatureConfidence, "curvatureConfidence";
    }
}

enumerated! {
    /// Accuracy of a curvature (`CurvatureConfidence`).
    #[derive(Default)]
    pub enum CurvatureConfidence {
        /// 0.00002 1/m.
        Within0_00002PerM "onePerMeter-0-00002",
        /// 0.0001 1/m.
        Within0_0001PerM "onePerMeter-0-0001",
        /// 0.0005 1/m.
        Within0_0005PerM "onePerMeter-0-0005",
        /// 0.002 1/m.
        Within0_002PerM "onePerMeter-0-002",
        /// 0.01 1/m.
        Within0_01PerM "onePerMeter-0-01",
        /// 0.1 1/m.
        Within0_1PerM "onePerMeter-0-1",
        /// Worse than 0.1 1/m.
        OutOfRange "outOfRange",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

enumerated! {
    /// How the curvature was found (`CurvatureCalculationMode`).
    #[derive(Default)]
    pub enum CurvatureCalculationMode {
        /// From the yaw rate.
        YawRateUsed "yawRateUsed",
        /// Without the yaw rate.
        YawRateNotUsed "yawRateNotUsed",
        /// Not known.
        #[default]
        Unavailable "unavailable",
        ...
    }
}

enumerated! {
    /// Direction in which the vehicle moves (`DriveDirection`).
    #[derive(Default)]
    pub enum DriveDirection {
        /// Forwards.
        Forward "forward",
        /// Backwards.
        Backward "backward",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

sequence! {
    /// Rotation about the vertical axis (`YawRate`).
    #[derive(Copy, Default)]
    pub struct YawRate {
        /// Degrees per second (0.01°/s), positive counter-clockwise.
        req value_degps: Option<Reading> = YawRateValue, "yawRateValue";
        /// Accuracy class.
        req confidence: YawRateConfidence = YawRateConfidence, "yawRateConfidence";
    }
}

enumerated! {
    /// Accuracy of a yaw rate (`YawRateConfidence`).
    #[derive(Default)]
    pub enum YawRateConfidence {
        /// 0.01°/s.
        Within0_01DegPs "degSec-000-01",
        /// 0.05°/s.
        Within0_05DegPs "degSec-000-05",
        /// 0.1°/s.
        Within0_1DegPs "degSec-000-10",
        /// 1°/s.
        Within1DegPs "degSec-001-00",
        /// 5°/s.
        Within5DegPs "degSec-005-00",
        /// 10°/s.
        Within10DegPs "degSec-010-00",
        /// 100°/s.
        Within100DegPs "degSec-100-00",
        /// Worse than 100°/s.
        OutOfRange "outOfRange",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

sequence! {
    /// Steering wheel angle (`SteeringWheelAngle`).
    #[derive(Copy, Default)]
    pub struct SteeringWheelAngle {
        /// Degrees (1.5°), positive to the left.
        req value_deg: Option<Reading> = SteeringWheelAngleValue, "steeringWheelAngleValue";
        /// 95 % accuracy, degrees (1.5°).
        req confidence_deg: Option<Reading> = SteeringConfidence, "steeringWheelAngleConfidence";
    }
}

sequence! {
    /// Angle in a Cartesian frame (`CartesianAngle`).
    #[derive(Copy, Default)]
    pub struct CartesianAngle {
        /// Degrees counter-clockwise from the x axis, 0..360 (0.1°).
        req value_deg: Option<f32> = AngleDeg, "value";
        /// 95 % accuracy, degrees (0.1°, up to 12.5°).
        req confidence_deg: Option<Reading> = ConfidenceDeg, "confidence";
    }
}

sequence! {
    /// Orientation of an object (`EulerAnglesWithConfidence`).
    #[derive(Copy, Default)]
    pub struct EulerAngles {
        /// About the z axis (yaw).
        req z_angle: CartesianAngle = CartesianAngle, "zAngle";
        /// About the y axis (pitch).
        opt y_angle: CartesianAngle = CartesianAngle, "yAngle";
        /// About the x axis (roll).
        opt x_angle: CartesianAngle = CartesianAngle, "xAngle";
    }
}

sequence! {
    /// Rate of rotation about one axis (`CartesianAngularVelocityComponent`).
    #[derive(Copy, Default)]
    pub struct CartesianAngularVelocityComponent {
        /// Degrees per second (1°/s, ±254°/s).
        req value_degps: Option<Reading> = AngularRate, "value";
        /// Accuracy class.
        req confidence: AngularSpeedConfidence = AngularSpeedConfidence, "confidence";
    }
}

enumerated! {
    /// Accuracy of an angular speed (`AngularSpeedConfidence`).
    #[derive(Default)]
    pub enum AngularSpeedConfidence {
        /// 1°/s.
        Within1DegPs "degSec-01",
        /// 2°/s.
        Within2DegPs "degSec-02",
        /// 5°/s.
        Within5DegPs "degSec-05",
        /// 10°/s.
        Within10DegPs "degSec-10",
        /// 20°/s.
        Within20DegPs "degSec-20",
        /// 50°/s.
        Within50DegPs "degSec-50",
        /// Worse than 50°/s.
        OutOfRange "outOfRange",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

sequence! {
    /// Velocity along one axis (`VelocityComponent`).
    #[derive(Copy, Default)]
    pub struct VelocityComponent {
        /// Metres per second (0.01 m/s, ±163.8 m/s).
        req value_mps: Option<Reading> = VelocityComponentValue, "value";
        /// 95 % accuracy, metres per second (0.01 m/s, up to 1.25 m/s).
        req confidence_mps: Option<Reading> = SpeedConfidence, "confidence";
    }
}

choice! {
    /// Velocity of an object (`Velocity3dWithConfidence`).
    #[derive(Copy)]
    pub enum Velocity3d {
        /// Size and direction.
        Polar(VelocityPolarWithZ) = VelocityPolarWithZ, "polarVelocity";
        /// Components along the axes.
        Cartesian(VelocityCartesian) = VelocityCartesian, "cartesianVelocity";
    }
}

sequence! {
    /// Velocity by its size and direction (`VelocityPolarWithZ`).
    #[derive(Copy, Default)]
    pub struct VelocityPolarWithZ {
        /// Speed over ground.
        req velocity_magnitude: Speed = Speed, "velocityMagnitude";
        /// Direction, from the x axis.
        req velocity_direction: CartesianAngle = CartesianAngle, "velocityDirection";
        /// Upward component.
        opt z_velocity: VelocityComponent = VelocityComponent, "zVelocity";
    }
}

sequence! {
    /// Velocity along the axes (`VelocityCartesian`).
    #[derive(Copy, Default)]
    pub struct VelocityCartesian {
        /// Along x.
        req x_velocity: VelocityComponent = VelocityComponent, "xVelocity";
        /// Along y.
        req y_velocity: VelocityComponent = VelocityComponent, "yVelocity";
        /// Along z.
        opt z_velocity: VelocityComponent = VelocityComponent, "zVelocity";
    }
}

choice! {
    /// Acceleration of an object (`Acceleration3dWithConfidence`).
    #[derive(Copy)]
    pub enum Acceleration3d {
        /// Size and direction.
        Polar(AccelerationPolarWithZ) = AccelerationPolarWithZ, "polarAcceleration";
        /// Components along the axes.
        Cartesian(AccelerationCartesian) = AccelerationCartesian, "cartesianAcceleration";
    }
}

sequence! {
    /// Acceleration by its size and direction (`AccelerationPolarWithZ`).
    #[derive(Copy, Default)]
    pub struct AccelerationPolarWithZ {
        /// Size.
        req acceleration_magnitude: AccelerationMagnitude = AccelerationMagnitude, "accelerationMagnitude";
        /// Direction, from the x axis.
        req acceleration_direction: CartesianAngle = CartesianAngle, "accelerationDirection";
        /// Upward component.
        opt z_acceleration: AccelerationComponent = AccelerationComponent, "zAcceleration";
    }
}

sequence! {
    /// Acceleration along the axes (`AccelerationCartesian`).
    #[derive(Copy, Default)]
    pub struct AccelerationCartesian {
        /// Along x.
        req x_acceleration: AccelerationComponent = AccelerationComponent, "xAcceleration";
        /// Along y.
        req y_acceleration: AccelerationComponent = AccelerationComponent, "yAcceleration";
        /// Along z.
        opt z_acceleration: AccelerationComponent = AccelerationComponent, "zAcceleration";
    }
}
