//! Kinds of engine and of vehicle: the long lists of ISO 17573-3 and ISO 3833.

use crate::uper::declare::codes;

codes! {
    /// Engine (`EngineCharacteristics`); names from 10 on are of the later edition.
    pub enum EngineCharacteristics: 0..=255 {
        /// Not stated.
        NoEntry = 0,
        /// None.
        NoEngine = 1,
        /// Unleaded petrol.
        PetrolUnleaded = 2,
        /// Leaded petrol.
        PetrolLeaded = 3,
        /// Diesel.
        Diesel = 4,
        /// Liquefied petroleum gas.
        Lpg = 5,
        /// Battery.
        Battery = 6,
        /// Solar.
        Solar = 7,
        /// Hybrid.
        Hybrid = 8,
        /// Hydrogen.
        Hydrogen = 9,
        /// Several fuels.
        MultiFuel = 10,
        /// Bivalent: petrol and LPG.
        BivalentPetrolLpg = 11,
        /// Bivalent: petrol and CNG.
        BivalentPetrolCng = 12,
        /// Combined: petrol and electric.
        CombinedPetrolElectric = 13,
        /// Compressed natural gas.
        Cng = 14,
        /// Liquefied natural gas.
        Lng = 15,
        /// Combined: diesel and electric.
        CombinedDieselElectric = 16,
        /// Combined: hydrogen and electric.
        CombinedHydrogenElectric = 17,
        /// Bivalent: hydrogen and petrol.
        BivalentHydrogenPetrol = 18,
        /// Bivalent: hydrogen, petrol and electric.
        BivalentHydrogenPetrolElectricEngine = 19,
        /// Fuel cell: hydrogen.
        FuelCellHydrogen = 20,
        /// Fuel cell: petrol.
        FuelCellPetrol = 21,
        /// Fuel cell: methanol.
        FuelCellMethanol = 22,
        /// Fuel cell: ethanol.
        FuelCellEthanol = 23,
        /// Fuel cell: diesel.
        FuelCellDiesel = 24,
        /// Combined: several fuels electric.
        CombinedMultiFuelElectricEngine = 25,
        /// Combined: CNG and electric.
        CombinedCngElectricEngine = 26,
        /// Combined: LNG and electric.
        CombinedLngElectricEngine = 27,
        /// Petrol ethanol.
        PetrolEthanol = 28,
        /// Combined: LPG and electric.
        CombinedLpgElectricEngine = 29,
        /// Hybrid: petrol, battery charged from outside.
        HybridPetrolExternalBattery = 30,
        /// Hybrid: diesel, battery charged from outside.
        HybridDieselExternalBattery = 31,
        /// Hybrid: LPG, battery charged from outside.
        HybridLpgExternalBattery = 32,
        /// Hybrid: hydrogen, battery charged from outside.
        HybridHydrogenExternalBattery = 33,
        /// Hybrid: several fuels, battery charged from outside.
        HybridMultiFuelExternalBattery = 34,
        /// Hybrid: CNG, battery charged from outside.
        HybridCngExternalBattery = 35,
        /// Hybrid: LNG, battery charged from outside.
        HybridLngExternalBattery = 36,
        /// Hybrid, bivalent: hydrogen and petrol, battery charged from outside.
        HybridBivalentHydrogenPetrolExternalBattery = 37,
        /// Hydrogen and compressed natural gas.
        HydrogenCng = 38,
        /// Hydrogen and liquefied natural gas.
        HydrogenLng = 39,
        /// Hybrid: hydrogen and CNG, battery charged from outside.
        HybridHydrogenCngExternalBattery = 40,
        /// Hybrid: hydrogen and LNG, battery charged from outside.
        HybridHydrogenLngExternalBattery = 41,
        /// Ethanol.
        Ethanol = 42,
        /// Hybrid: fuel cell hydrogen.
        HybridFuelCellHydrogen = 43,
        /// Hybrid: fuel cell hydrogen, battery charged from outside.
        HybridFuelCellHydrogenExternalBattery = 44,
        /// Dual fuel: LNG and diesel.
        DualFuelLngDiesel = 45,
        /// Electric, fed from outside.
        ElectricExternal = 46,
        /// Biogas.
        Biogas = 47,
        /// Biodiesel.
        BioDiesel = 48,
        /// Biopetrol.
        BioPetrol = 49,
        /// Bivalent: petrol and biogas.
        BivalentPetrolBiogas = 50,
        /// Combined: biogas and electric.
        CombinedBiogasElectricEngine = 51,
        /// Dual fuel: CNG and diesel.
        DualFuelCngDiesel = 52,
        /// Another.
        Another = 255,
    }
}

codes! {
    /// Vehicle of ISO 3833 (`Iso3833VehicleType`).
    pub enum Iso3833VehicleType: 0..=255 {
        /// Passenger car.
        PassengerCar = 0,
        /// Saloon.
        Saloon = 1,
        /// Convertible saloon.
        ConvertibleSaloon = 2,
        /// Pullman saloon.
        PullmanSaloon = 3,
        /// Station wagon.
        StationWagon = 4,
        /// Truck station wagon.
        TruckStationWagon = 5,
        /// Coupe.
        Coupe = 6,
        /// Convertible.
        Convertible = 7,
        /// Multipurpose passenger car.
        MultipurposePassengerCar = 8,
        /// Forward control passenger car.
        ForwardControlPassengerCar = 9,
        /// Special passenger car.
        SpecialPassengerCar = 10,
        /// Bus.
        Bus = 11,
        /// Minibus.
        Minibus = 12,
        /// Urban bus.
        UrbanBus = 13,
        /// Interurban coach.
        InterurbanCoach = 14,
        /// Long distance coach.
        LongDistanceCoach = 15,
        /// Articulated bus.
        ArticulatedBus = 16,
        /// Trolley bus.
        TrolleyBus = 17,
        /// Special bus.
        SpecialBus = 18,
        /// Commercial vehicle.
        CommercialVehicle = 19,
        /// Special commercial vehicle.
        SpecialCommercialVehicle = 20,
        /// Special vehicle.
        SpecialVehicle = 21,
        /// Trailing towing vehicle.
        TrailingTowingVehicle = 22,
        /// Semi-trailer towing vehicle.
        SemiTrailerTowingVehicle = 23,
        /// Trailer.
        Trailer = 24,
        /// Bus trailer.
        BusTrailer = 25,
        /// General purpose trailer.
        GeneralPurposeTrailer = 26,
        /// Caravan.
        Caravan = 27,
        /// Special trailer.
        SpecialTrailer = 28,
        /// Semi-trailer.
        SemiTrailer = 29,
        /// Bus semi-trailer.
        BusSemiTrailer = 30,
        /// General purpose semi-trailer.
        GeneralPurposeSemiTrailer = 31,
        /// Special semi-trailer.
        SpecialSemiTrailer = 32,
        /// Road train.
        RoadTrain = 33,
        /// Passenger road train.
        PassengerRoadTrain = 34,
        /// Articulated road train.
        ArticulatedRoadTrain = 35,
        /// Double road train.
        DoubleRoadTrain = 36,
        /// Composite road train.
        CompositeRoadTrain = 37,
        /// Special road train.
        SpecialRoadTrain = 38,
        /// Moped.
        Moped = 39,
        /// Motor cycle.
        MotorCycle = 40,
    }
}
