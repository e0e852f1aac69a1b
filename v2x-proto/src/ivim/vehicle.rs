//! Vehicles to which information applies (ISO 14906, ISO 17573-3, ISO 3833, ISO 24534).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::roadside::TenKilograms;
use crate::cdd::*;
use crate::ivim::vehicle_kind::{EngineCharacteristics, Iso3833VehicleType};
use crate::jer::Jer;
use crate::json::Naming;
use crate::uper::UperErrorKind;
use crate::uper::bounded::{Ext, Null};
use crate::uper::declare::{choice, codes, enumerated, sequence};
use crate::uper::element::Coded;

/// Kinds of vehicle (`VehicleCharacteristicsList`); one that fits is enough.
pub type VehicleCharacteristicsList = List<CompleteVehicleCharacteristics, 0, 32>;

sequence! {
    /// A kind of vehicle (`CompleteVehicleCharacteristics`); all that is present must fit.
    #[derive(Default)]
    pub struct CompleteVehicleCharacteristics {
        /// The vehicle that pulls, or the vehicle.
        opt tractor: VehicleCharacteristics = VehicleCharacteristics, "tractor";
        /// Its trailers.
        opt trailer: List<VehicleCharacteristics, 0, 3> = ListOf<VehicleCharacteristics, 0, 1, 3>, "trailer";
        /// All of it.
        opt train: VehicleCharacteristics = VehicleCharacteristics, "train";
    }
}

sequence! {
    /// What a vehicle is (`TractorCharacteristics`, `TrailerCharacteristics`, `TrainCharacteristics`). For trailers,
    /// emissions, sound and engine are not stated.
    #[derive(Default)]
    pub struct VehicleCharacteristics {
        /// One of these.
        opt equal_to: List<VehicleCharacteristicsFixValues, 0, 16> = ListExt<VehicleCharacteristicsFixValues, 0, 1, 4, 16>, "equalTo";
        /// None of these.
        opt not_equal_to: List<VehicleCharacteristicsFixValues, 0, 16> = ListExt<VehicleCharacteristicsFixValues, 0, 1, 4, 16>, "notEqualTo";
        /// Within these.
        opt ranges: List<VehicleCharacteristicsRanges, 0, 16> = ListExt<VehicleCharacteristicsRanges, 0, 1, 4, 16>, "ranges";
    }
}

choice! {
    /// A property that is or is not there (`VehicleCharacteristicsFixValues`).
    pub enum VehicleCharacteristicsFixValues {
        /// Kind of station.
        SimpleVehicleType(StationType) = StationType, "simpleVehicleType";
        /// Category of the European Union.
        EuVehicleCategory(EuVehicleCategoryCode) = EuVehicleCategoryCode, "euVehicleCategoryCode";
        /// Type of ISO 3833.
        Iso3833VehicleType(Iso3833VehicleType) = Iso3833VehicleType, "iso3833VehicleType";
        /// Emission classes.
        EuroAndCo2Value(EnvironmentalCharacteristics) = EnvironmentalCharacteristics, "euroAndCo2value";
        /// Engine.
        EngineCharacteristics(EngineCharacteristics) = EngineCharacteristics, "engineCharacteristics";
        /// Load.
        LoadType(LoadType) = LoadType, "loadType";
        /// Role.
        Usage(VehicleRole) = VehicleRole, "usage";
        ...;
    }
}

choice! {
    /// Category of the European Union (`EuVehicleCategoryCode`).
    pub enum EuVehicleCategoryCode {
        /// Two and three wheels, quadricycles.
        L(EuVehicleCategoryL) = EuVehicleCategoryL, "euVehicleCategoryL";
        /// For passengers.
        M(EuVehicleCategoryM) = EuVehicleCategoryM, "euVehicleCategoryM";
        /// For goods.
        N(EuVehicleCategoryN) = EuVehicleCategoryN, "euVehicleCategoryN";
        /// Trailers.
        O(EuVehicleCategoryO) = EuVehicleCategoryO, "euVehicleCategoryO";
        /// Tractors for agriculture and forestry.
        T(Null) = Null, "euVehicleCategoryT";
        /// Off-road vehicles.
        G(Null) = Null, "euVehicleCategoryG";
    }
}

enumerated! {
    /// Category L.
    pub enum EuVehicleCategoryL {
        /// L1.
        L1 "l1",
        /// L2.
        L2 "l2",
        /// L3.
        L3 "l3",
        /// L4.
        L4 "l4",
        /// L5.
        L5 "l5",
        /// L6.
        L6 "l6",
        /// L7.
        L7 "l7",
    }
}

enumerated! {
    /// Category M.
    pub enum EuVehicleCategoryM {
        /// M1.
        M1 "m1",
        /// M2.
        M2 "m2",
        /// M3.
        M3 "m3",
    }
}

enumerated! {
    /// Category N.
    pub enum EuVehicleCategoryN {
        /// N1.
        N1 "n1",
        /// N2.
        N2 "n2",
        /// N3.
        N3 "n3",
    }
}

enumerated! {
    /// Category O.
    pub enum EuVehicleCategoryO {
        /// O1.
        O1 "o1",
        /// O2.
        O2 "o2",
        /// O3.
        O3 "o3",
        /// O4.
        O4 "o4",
    }
}

sequence! {
    /// Emission classes (`EnvironmentalCharacteristics`).
    #[derive(Copy, Eq)]
    pub struct EnvironmentalCharacteristics {
        /// Class of pollutants.
        req euro_value: EuroValue = EuroValueCodec, "euroValue";
        /// Class of carbon dioxide.
        req cop_value: CopValue = CopValueCodec, "copValue";
    }
}

codes! {
    /// Class of pollutants (`EuroValue`).
    pub enum EuroValue: 0..=15 {
        /// Not stated.
        NoEntry = 0,
        /// Euro 1.
        Euro1 = 1,
        /// Euro 2.
        Euro2 = 2,
        /// Euro 3.
        Euro3 = 3,
        /// Euro 4.
        Euro4 = 4,
        /// Euro 5.
        Euro5 = 5,
        /// Euro 6.
        Euro6 = 6,
        /// Euro 7.
        Euro7 = 7,
        /// Enhanced environmentally friendly vehicle.
        Eev = 15,
    }
}

codes! {
    /// Class of carbon dioxide (`CopValue`); codes above 8 are of the later edition.
    pub enum CopValue: 0..=15 {
        /// Not stated.
        NoEntry = 0,
        /// Class 1.
        Co2Class1 = 1,
        /// Class 2.
        Co2Class2 = 2,
        /// Class 3.
        Co2Class3 = 3,
        /// Class 4.
        Co2Class4 = 4,
        /// Class 5.
        Co2Class5 = 5,
        /// Class 6.
        Co2Class6 = 6,
        /// Class 7.
        Co2Class7 = 7,
    }
}

codes! {
    /// Unit of an emission (`UnitType`, `EmissionUnit`).
    pub enum EmissionUnit: 0..=1 {
        /// Milligrams a kilometre.
        MgPerKm = 0,
        /// Milligrams a kilowatt-hour.
        MgPerKwh = 1,
    }
}

/// Declares codecs of codes that are enumerations, so names in JER, in the earlier edition.
macro_rules! named_in_r1 {
    ($( $codec:ident: $ty:ident [$( $name:literal ),*]; )*) => { $(
        pub(crate) struct $codec;

        impl Coded for $codec {
            type Value = $ty;
            const MIN: i64 = <$ty as Coded>::MIN;
            const MAX: i64 = <$ty as Coded>::MAX;

            fn to_code(value: &$ty) -> Result<i64, UperErrorKind> {
                Ok(value.code().into())
            }

            fn from_code(code: i64) -> $ty {
                $ty::from_code(code as u8)
            }

            fn code_to_jer(code: i64, names: Naming) -> Jer {
                let name = [$( $name ),*].get(code as usize).filter(|_| names == Naming::R1);
                name.map_or_else(|| code.into(), |name| (*name).into())
            }
        }
    )* };
}

named_in_r1! {
    EuroValueCodec: EuroValue [
        "noEntry", "euro-1", "euro-2", "euro-3", "euro-4", "euro-5", "euro-6", "reservedForUse1", "reservedForUse2",
        "reservedForUse3", "reservedForUse4", "reservedForUse5", "reservedForUse6", "reservedForUse7",
        "reservedForUse8", "eev"
    ];
    CopValueCodec: CopValue [
        "noEntry", "co2class1", "co2class2", "co2class3", "co2class4", "co2class5", "co2class6", "co2class7",
        "reservedforUse"
    ];
    EmissionUnitCodec: EmissionUnit ["mg-km", "mg-kWh"];
}

sequence! {
    /// Load (`LoadType`).
    #[derive(Copy)]
    pub struct LoadType {
        /// Kind of goods.
        req goods_type: GoodsType = Ext<GoodsType, 255>, "goodsType";
        /// Kind of dangerous goods.
        req dangerous_goods_type: DangerousGoodsBasic = DangerousGoodsBasic, "dangerousGoodsType";
        /// Why the transport is special.
        req special_transport_type: SpecialTransportType = SpecialTransportType, "specialTransportType";
    }
}

codes! {
    /// Kind of goods (`GoodsType`).
    pub enum GoodsType: 0..=15 {
        /// Ammunition.
        Ammunition = 0,
        /// Chemicals.
        Chemicals = 1,
        /// Empty.
        Empty = 2,
        /// Fuel.
        Fuel = 3,
        /// Glass.
        Glass = 4,
        /// Dangerous goods.
        Dangerous = 5,
        /// Liquids.
        Liquid = 6,
        /// Livestock.
        LiveStock = 7,
        /// Dangerous for people.
        DangerousForPeople = 8,
        /// Dangerous for the environment.
        DangerousForTheEnvironment = 9,
        /// Dangerous for water.
        DangerousForWater = 10,
        /// Perishable products.
        PerishableProducts = 11,
        /// Pharmaceutical products.
        Pharmaceutical = 12,
        /// Vehicles.
        Vehicles = 13,
        /// Refrigerated transport.
        Refrigerated = 14,
    }
}

sequence! {
    /// A limit (`VehicleCharacteristicsRanges`).
    pub struct VehicleCharacteristicsRanges {
        /// How to compare with it.
        req comparison_operator: ComparisonOperator = ComparisonOperator, "comparisonOperator";
        /// Of what.
        req limits: VehicleLimits = VehicleLimits, "limits";
    }
}

codes! {
    /// How a vehicle's value compares with a limit (`ComparisonOperator`).
    pub enum ComparisonOperator: 0..=3 {
        /// Greater than it.
        GreaterThan = 0,
        /// Greater than or equal to it.
        GreaterThanOrEqualTo = 1,
        /// Less than it.
        LessThan = 2,
        /// Less than or equal to it.
        LessThanOrEqualTo = 3,
    }
}

choice! {
    /// What is limited (`limits`).
    pub enum VehicleLimits {
        /// Number of axles, 0..=7.
        NumberOfAxles(u8) = Int<u8, 0, 7>, "numberOfAxles";
        /// Sizes.
        VehicleDimensions(VehicleDimensions) = VehicleDimensions, "vehicleDimensions";
        /// Weights.
        VehicleWeightLimits(VehicleWeightLimits) = VehicleWeightLimits, "vehicleWeightLimits";
        /// Weights on the axles.
        AxleWeightLimits(AxleWeightLimits) = AxleWeightLimits, "axleWeightLimits";
        /// Passengers.
        PassengerCapacity(PassengerCapacity) = PassengerCapacity, "passengerCapacity";
        /// Exhaust.
        ExhaustEmissionValues(ExhaustEmissionValues) = ExhaustEmissionValues, "exhaustEmissionValues";
        /// Particles of diesel engines.
        DieselEmissionValues(DieselEmissionValues) = DieselEmissionValues, "dieselEmissionValues";
        /// Sound.
        SoundLevel(SoundLevel) = SoundLevel, "soundLevel";
        ...;
    }
}

sequence! {
    /// Sizes of a vehicle (`VehicleDimensions`).
    #[derive(Copy)]
    pub struct VehicleDimensions {
        /// Length, metres (0.1 m).
        req vehicle_length_overall_m: f32 = LengthDm1B, "vehicleLengthOverall";
        /// Height, metres (0.1 m).
        req vehicle_height_overall_m: f32 = LengthDm1B, "vehicleHeightOverall" | "vehicleHeigthOverall";
        /// Width, metres (0.1 m).
        req vehicle_width_overall_m: f32 = LengthDm1B, "vehicleWidthOverall";
    }
}

sequence! {
    /// Weights of a vehicle (`VehicleWeightLimits`).
    #[derive(Copy, Eq)]
    pub struct VehicleWeightLimits {
        /// Laden, kilograms (10 kg).
        req vehicle_max_laden_weight_kg: u32 = TenKilograms, "vehicleMaxLadenWeight";
        /// With its trailers, kilograms.
        req vehicle_train_maximum_weight_kg: u32 = TenKilograms, "vehicleTrainMaximumWeight";
        /// Unladen, kilograms.
        req vehicle_weight_unladen_kg: u32 = TenKilograms, "vehicleWeightUnladen";
    }
}

sequence! {
    /// Laden weights on the axles (`AxleWeightLimits`).
    #[derive(Copy, Eq)]
    pub struct AxleWeightLimits {
        /// Axle 1, kilograms (10 kg).
        req max_laden_weight_on_axle1_kg: u32 = TenKilograms, "maxLadenWeightOnAxle1" | "maxLadenweightOnAxle1";
        /// Axle 2, kilograms (10 kg).
        req max_laden_weight_on_axle2_kg: u32 = TenKilograms, "maxLadenWeightOnAxle2" | "maxLadenweightOnAxle2";
        /// Axle 3, kilograms (10 kg).
        req max_laden_weight_on_axle3_kg: u32 = TenKilograms, "maxLadenWeightOnAxle3" | "maxLadenweightOnAxle3";
        /// Axle 4, kilograms (10 kg).
        req max_laden_weight_on_axle4_kg: u32 = TenKilograms, "maxLadenWeightOnAxle4" | "maxLadenweightOnAxle4";
        /// Axle 5, kilograms (10 kg).
        req max_laden_weight_on_axle5_kg: u32 = TenKilograms, "maxLadenWeightOnAxle5" | "maxLadenweightOnAxle5";
    }
}

sequence! {
    /// Passengers (`PassengerCapacity`).
    #[derive(Copy, Eq)]
    pub struct PassengerCapacity {
        /// Seats.
        req number_of_seats: u8 = Int<u8, 0, 255>, "numberOfSeats";
        /// Places to stand.
        req number_of_standing_places: u8 = Int<u8, 0, 255>, "numberOfStandingPlaces";
    }
}

sequence! {
    /// Exhaust (`ExhaustEmissionValues`), each in `unit_type`.
    #[derive(Copy, Eq)]
    pub struct ExhaustEmissionValues {
        /// Unit.
        req unit_type: EmissionUnit = EmissionUnitCodec, "unitType";
        /// Carbon monoxide, 0..=32767.
        req emission_co: u16 = Int<u16, 0, 32_767>, "emissionCo" | "emissionCO";
        /// Hydrocarbons.
        req emission_hc: u16 = Int<u16, 0, 65_535>, "emissionHc" | "emissionHC";
        /// Nitrogen oxides.
        req emission_nox: u16 = Int<u16, 0, 65_535>, "emissionNox" | "emissionNOX";
        /// Both.
        req emission_hc_nox: u16 = Int<u16, 0, 65_535>, "emissionHcNox" | "emissionHCNOX";
    }
}

sequence! {
    /// Particles of a diesel engine (`DieselEmissionValues`).
    #[derive(Copy, Eq)]
    pub struct DieselEmissionValues {
        /// Particles.
        req particulate: Particulate = Particulate, "particulate";
        /// Absorption coefficient, as sent: the published module states no unit.
        req absorption_coeff: u16 = Int<u16, 0, 65_535>, "absorptionCoeff";
    }
}

sequence! {
    /// Particles (`particulate`).
    #[derive(Copy, Eq)]
    pub struct Particulate {
        /// Unit.
        req unit_type: EmissionUnit = EmissionUnitCodec, "unitType";
        /// Value, 0..=32767.
        req value: u16 = Int<u16, 0, 32_767>, "value";
    }
}

sequence! {
    /// Sound (`SoundLevel`).
    #[derive(Copy, Eq)]
    pub struct SoundLevel {
        /// Standing, dB(A).
        req sound_stationary_db: u8 = Int<u8, 0, 255>, "soundStationary" | "soundstationary";
        /// Driving by, dB(A).
        req sound_drive_by_db: u8 = Int<u8, 0, 255>, "soundDriveBy" | "sounddriveby";
    }
}
