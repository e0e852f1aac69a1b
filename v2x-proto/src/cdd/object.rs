//! Perceived objects and what they are.

use crate::List;
use crate::cdd::codec::{
    ByteCount, ConfidencePercent, CorrelationPercent, DeltaTimeMs, Int, ListExt, ListOf, ObjectDimensionConfidence,
    ObjectDimensionValue, OnHeap, StabilityProbability, TenthsOfSecond, VehicleSubClass,
};
use crate::cdd::{
    Acceleration3d, CartesianAngularVelocityComponent, CartesianPosition3dWithConfidence, EulerAngles, MapPosition,
    Reading, Shape, StationType, Velocity3d,
};
use crate::heap::{Box, inline};
use crate::uper::declare::{bit_string, choice, codes, sequence};

/// Identifiers of the sensors that saw something (`SequenceOfIdentifier1B`).
pub type SensorIds = List<u8, 8, 255>;
/// Codec of [`SensorIds`].
pub(crate) type SensorIdsCodec = ListExt<Int<u8, 0, 255>, 8, 1, 128, 255>;

sequence! {
    /// An object as perceived (`PerceivedObject`). Axes: x east, y north, z up from the reference position for a
    /// roadside unit; x forward, y left for a vehicle.
    #[derive(Default)]
    pub struct PerceivedObject in_place {
        /// Identifier, stable while the object is followed; always present in a CPM.
        opt object_id: u16 = Int<u16, 0, 65535>, "objectId";
        /// When the state below was true, milliseconds relative to the message's reference time (-2048..2047).
        req measurement_delta_time_ms: i16 = DeltaTimeMs, "measurementDeltaTime";
        /// Where.
        req position: CartesianPosition3dWithConfidence = CartesianPosition3dWithConfidence, "position";
        /// Velocity.
        opt velocity: Velocity3d = Velocity3d, "velocity";
        /// Acceleration.
        opt acceleration: Acceleration3d = Acceleration3d, "acceleration";
        /// Orientation.
        opt angles: EulerAngles = EulerAngles, "angles";
        /// Yaw rate.
        opt z_angular_velocity: CartesianAngularVelocityComponent = CartesianAngularVelocityComponent, "zAngularVelocity";
        /// Correlation between the components above.
        opt lower_triangular_correlation_matrices: List<CorrelationMatrix, { inline(0, 1) }, 4> = ListOf<CorrelationMatrix, { inline(0, 1) }, 1, 4>, "lowerTriangularCorrelationMatrices";
        /// Height.
        opt object_dimension_z: ObjectDimension = ObjectDimension, "objectDimensionZ";
        /// Width.
        opt object_dimension_y: ObjectDimension = ObjectDimension, "objectDimensionY";
        /// Length.
        opt object_dimension_x: ObjectDimension = ObjectDimension, "objectDimensionX";
        /// Time since it was first seen, milliseconds (0..2047; 2047 is "or more").
        opt object_age_ms: i16 = Int<i16, 0, 2047>, "objectAge";
        /// Quality of the perception, 0 (none) to 15 (full).
        opt object_perception_quality: u8 = Int<u8, 0, 15>, "objectPerceptionQuality";
        /// Sensors that saw it.
        opt sensor_id_list: SensorIds = SensorIdsCodec, "sensorIdList";
        /// What it may be.
        opt classification: ObjectClassDescription = ListOf<ObjectClassWithConfidence, 1, 1, 8>, "classification";
        /// Where on the map.
        opt map_position: MapPosition = MapPosition, "mapPosition";
        ...;
    }
}

/// Up to eight classes of an object (`ObjectClassDescription`).
pub type ObjectClassDescription = List<ObjectClassWithConfidence, 1, 8>;

sequence! {
    /// A class and how sure it is (`ObjectClassWithConfidence`).
    pub struct ObjectClassWithConfidence {
        /// The class.
        req object_class: ObjectClass = ObjectClass, "objectClass";
        /// 1..=100 %.
        req confidence_percent: Option<u8> = ConfidencePercent, "confidence";
    }
}

choice! {
    /// What an object is (`ObjectClass`).
    pub enum ObjectClass {
        /// A vehicle.
        Vehicle(StationType) = VehicleSubClass, "vehicleSubClass";
        /// A vulnerable road user.
        Vru(VruProfileAndSubprofile) = VruProfileAndSubprofile, "vruSubClass";
        /// A group of vulnerable road users.
        Group(VruClusterInformation) = VruClusterInformation, "groupSubClass";
        /// Something else.
        Other(OtherSubClass) = OtherSubClass, "otherSubClass";
        ...;
    }
}

choice! {
    /// Kind of vulnerable road user (`VruProfileAndSubprofile`).
    pub enum VruProfileAndSubprofile {
        /// On foot.
        Pedestrian(VruSubProfilePedestrian) = VruSubProfilePedestrian, "pedestrian";
        /// On a bicycle or another light vehicle.
        BicyclistAndLightVruVehicle(VruSubProfileBicyclist) = VruSubProfileBicyclist, "bicyclistAndLightVruVehicle";
        /// On a powered two-wheeler.
        Motorcyclist(VruSubProfileMotorcyclist) = VruSubProfileMotorcyclist, "motorcyclist";
        /// An animal.
        Animal(VruSubProfileAnimal) = VruSubProfileAnimal, "animal";
        ...;
    }
}

codes! {
    /// Kind of pedestrian (`VruSubProfilePedestrian`).
    #[derive(Default)]
    pub enum VruSubProfilePedestrian: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Ordinary pedestrian.
        OrdinaryPedestrian = 1,
        /// Road worker.
        RoadWorker = 2,
        /// First responder.
        FirstResponder = 3,
    }
}

codes! {
    /// Kind of cyclist or light vehicle (`VruSubProfileBicyclist`).
    #[derive(Default)]
    pub enum VruSubProfileBicyclist: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Bicycle.
        Bicyclist = 1,
        /// Wheelchair.
        WheelchairUser = 2,
        /// Horse and rider.
        HorseAndRider = 3,
        /// Roller skates.
        Rollerskater = 4,
        /// E-scooter.
        EScooter = 5,
        /// Personal transporter.
        PersonalTransporter = 6,
        /// Electrically assisted bicycle.
        Pedelec = 7,
        /// Fast electrically assisted bicycle.
        SpeedPedelec = 8,
        /// Road bicycle.
        Roadbike = 9,
        /// Child's bicycle.
        Childrensbike = 10,
        /// Racing bicycle.
        Racebike = 11,
    }
}

codes! {
    /// Kind of powered two-wheeler (`VruSubProfileMotorcyclist`).
    #[derive(Default)]
    pub enum VruSubProfileMotorcyclist: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Moped.
        Moped = 1,
        /// Motorcycle.
        Motorcycle = 2,
        /// Motorcycle with a sidecar on the right.
        MotorcycleAndSidecarRight = 3,
        /// Motorcycle with a sidecar on the left.
        MotorcycleAndSidecarLeft = 4,
    }
}

codes! {
    /// Kind of animal (`VruSubProfileAnimal`).
    #[derive(Default)]
    pub enum VruSubProfileAnimal: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Wild animal.
        WildAnimal = 1,
        /// Farm animal.
        FarmAnimal = 2,
        /// Service animal.
        ServiceAnimal = 3,
    }
}

codes! {
    /// Kind of other object (`OtherSubClass`).
    #[derive(Default)]
    pub enum OtherSubClass: 0..=255 {
        /// Not known.
        #[default]
        Unknown = 0,
        /// One object.
        SingleObject = 1,
        /// Several objects.
        MultipleObjects = 2,
        /// Bulk material.
        BulkMaterial = 3,
    }
}

sequence! {
    /// A group of vulnerable road users (`VruClusterInformation`).
    #[derive(Default)]
    pub struct VruClusterInformation {
        /// Identifier of the cluster.
        opt cluster_id: u8 = Int<u8, 0, 255>, "clusterId";
        /// Where the cluster is; absent in a CPM.
        opt cluster_bounding_box_shape: Box<Shape> = OnHeap<Shape>, "clusterBoundingBoxShape";
        /// How many there are.
        req cluster_cardinality_size: u8 = ByteCount, "clusterCardinalitySize";
        /// Who they are.
        opt cluster_profiles: VruClusterProfiles = VruClusterProfiles, "clusterProfiles";
        ...;
    }
}

bit_string! {
    /// Profiles present in a cluster (`VruClusterProfiles`).
    pub struct VruClusterProfiles: 4 {
        /// Pedestrians.
        PEDESTRIAN = 0,
        /// Bicyclists.
        BICYCLIST = 1,
        /// Motorcyclists.
        MOTORCYCLIST = 2,
        /// Animals.
        ANIMAL = 3,
    }
}

sequence! {
    /// One dimension of an object (`ObjectDimension`).
    #[derive(Copy, Default)]
    pub struct ObjectDimension {
        /// Metres (0.1 m, 0.1..25.4 m).
        req value_m: Option<Reading> = ObjectDimensionValue, "value";
        /// 95 % accuracy, metres (0.1 m, up to 3 m).
        req confidence_m: Option<Reading> = ObjectDimensionConfidence, "confidence";
    }
}

bit_string! {
    /// Components that a correlation matrix covers (`MatrixIncludedComponents`).
    pub struct MatrixIncludedComponents: 13, extensible {
        /// Position along x.
        X_POSITION = 0,
        /// Position along y.
        Y_POSITION = 1,
        /// Position along z.
        Z_POSITION = 2,
        /// Velocity along x, or speed.
        X_VELOCITY_OR_VELOCITY_MAGNITUDE = 3,
        /// Velocity along y, or direction.
        Y_VELOCITY_OR_VELOCITY_DIRECTION = 4,
        /// Velocity along z.
        Z_SPEED = 5,
        /// Acceleration along x, or its size.
        X_ACCEL_OR_ACCEL_MAGNITUDE = 6,
        /// Acceleration along y, or its direction.
        Y_ACCEL_OR_ACCEL_DIRECTION = 7,
        /// Acceleration along z.
        Z_ACCELERATION = 8,
        /// Yaw.
        Z_ANGLE = 9,
        /// Pitch.
        Y_ANGLE = 10,
        /// Roll.
        X_ANGLE = 11,
        /// Yaw rate.
        Z_ANGULAR_VELOCITY = 12,
    }
}

/// One column of a correlation matrix below the diagonal, percent (-100..=100); `None` is "unavailable".
pub type CorrelationColumn = List<Option<i8>, 13, 32>;

sequence! {
    /// Correlations between components (`LowerTriangularPositiveSemidefiniteMatrix`).
    #[derive(Default)]
    pub struct CorrelationMatrix {
        /// Which components, in the order of the bits.
        req components_included: MatrixIncludedComponents = MatrixIncludedComponents, "componentsIncludedIntheMatrix";
        /// Columns, each from below the diagonal downwards.
        req matrix: List<CorrelationColumn, { inline(0, 13) }, 32> = ListExt<ListExt<CorrelationPercent, 13, 1, 13, 32>, { inline(0, 13) }, 1, 13, 32>, "matrix";
    }
}

codes! {
    /// What a rider does (`VruMovementControl`).
    #[derive(Default)]
    pub enum VruMovementControl: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Brakes.
        Braking = 1,
        /// Brakes hard.
        HardBraking = 2,
        /// Stops pedalling.
        StopPedaling = 3,
        /// Brakes and stops pedalling.
        BrakingAndStopPedaling = 4,
        /// Brakes hard and stops pedalling.
        HardBrakingAndStopPedaling = 5,
        /// Does nothing.
        NoReaction = 6,
    }
}

sequence! {
    /// Whether a two-wheeler is about to fall (`StabilityChangeIndication`).
    #[derive(Copy, Default)]
    pub struct StabilityChangeIndication {
        /// Probability of a fall, percent (2 %).
        req loss_probability_percent: Option<u8> = StabilityProbability, "lossProbability";
        /// When, seconds (0.1 s, up to 12.6 s).
        req action_delta_time_s: Option<f32> = TenthsOfSecond, "actionDeltaTime";
        ...;
    }
}
