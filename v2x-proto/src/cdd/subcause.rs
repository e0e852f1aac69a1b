//! Sub-causes of the causes in [`CauseCode`](crate::cdd::CauseCode).

use crate::cdd::cause::sub_causes;

sub_causes! {
    /// Sub-causes of "traffic condition" (`TrafficConditionSubCauseCode`).
    TrafficConditionSubCause {
        /// Increased volume of traffic.
        IncreasedVolumeOfTraffic = 1,
        /// Traffic jam slowly increasing.
        TrafficJamSlowlyIncreasing = 2,
        /// Traffic jam increasing.
        TrafficJamIncreasing = 3,
        /// Traffic jam strongly increasing.
        TrafficJamStronglyIncreasing = 4,
        /// Traffic jam.
        TrafficJam = 5,
        /// Traffic jam slightly decreasing.
        TrafficJamSlightlyDecreasing = 6,
        /// Traffic jam decreasing.
        TrafficJamDecreasing = 7,
        /// Traffic jam strongly decreasing.
        TrafficJamStronglyDecreasing = 8,
        /// Traffic jam stable.
        TrafficJamStable = 9,
    }
    /// Sub-causes of "accident" (`AccidentSubCauseCode`).
    AccidentSubCause {
        /// Multi vehicle accident.
        MultiVehicleAccident = 1,
        /// Heavy accident.
        HeavyAccident = 2,
        /// Accident involving lorry.
        AccidentInvolvingLorry = 3,
        /// Accident involving bus.
        AccidentInvolvingBus = 4,
        /// Accident involving hazardous materials.
        AccidentInvolvingHazardousMaterials = 5,
        /// Accident on opposite lane (deprecated).
        AccidentOnOppositeLane = 6,
        /// Unsecured accident.
        UnsecuredAccident = 7,
        /// Assistance requested.
        AssistanceRequested = 8,
    }
    /// Sub-causes of "roadworks" (`RoadworksSubCauseCode`).
    RoadworksSubCause {
        /// Road or carriageway closure.
        RoadOrCarriagewayClosure = 1,
        /// Road marking work (deprecated).
        RoadMarkingWork = 2,
        /// Moving lane closure.
        MovingLaneClosure = 3,
        /// Stationary lane closure.
        StationaryLaneClosure = 4,
        /// Street cleaning (deprecated).
        StreetCleaning = 5,
        /// Winter service (deprecated).
        WinterService = 6,
        /// Setup phase.
        SetupPhase = 7,
        /// Remodelling phase.
        RemodellingPhase = 8,
        /// Dismantling phase.
        DismantlingPhase = 9,
        /// Carriageway crossover.
        CarriagewayCrossover = 10,
    }
    /// Sub-causes of "impassability" (`ImpassabilitySubCauseCode`).
    ImpassabilitySubCause {
        /// Flooding.
        Flooding = 1,
        /// Danger of avalanches.
        DangerOfAvalanches = 2,
        /// Blasting of avalanches.
        BlastingOfAvalanches = 3,
        /// Landslips.
        Landslips = 4,
        /// Chemical spillage.
        ChemicalSpillage = 5,
        /// Winter closure.
        WinterClosure = 6,
        /// Sinkhole.
        Sinkhole = 7,
        /// Earthquake damage.
        EarthquakeDamage = 8,
        /// Fallen trees.
        FallenTrees = 9,
        /// Rockfalls.
        Rockfalls = 10,
        /// Sewer overflow.
        SewerOverflow = 11,
        /// Storm damage.
        StormDamage = 12,
        /// Subsidence.
        Subsidence = 13,
        /// Burst pipe.
        BurstPipe = 14,
        /// Burst water main.
        BurstWaterMain = 15,
        /// Fallen power cables.
        FallenPowerCables = 16,
        /// Snow drifts.
        SnowDrifts = 17,
    }
    /// Sub-causes of "adhesion" (`AdhesionSubCauseCode`).
    AdhesionSubCause {
        /// Heavy frost on road.
        HeavyFrostOnRoad = 1,
        /// Fuel on road.
        FuelOnRoad = 2,
        /// Mud on road.
        MudOnRoad = 3,
        /// Snow on road.
        SnowOnRoad = 4,
        /// Ice on road.
        IceOnRoad = 5,
        /// Black ice on road.
        BlackIceOnRoad = 6,
        /// Oil on road.
        OilOnRoad = 7,
        /// Loose chippings.
        LooseChippings = 8,
        /// Instant black ice.
        InstantBlackIce = 9,
        /// Roads salted.
        RoadsSalted = 10,
        /// Flooding.
        Flooding = 11,
        /// Water on road.
        WaterOnRoad = 12,
    }
    /// Sub-causes of "hazardous location surface condition" (`HazardousLocation-SurfaceConditionSubCauseCode`).
    HazardousLocationSurfaceConditionSubCause {
        /// Rockfalls.
        Rockfalls = 1,
        /// Earthquake damage (deprecated).
        EarthquakeDamage = 2,
        /// Sinkhole.
        Sinkhole = 3,
        /// Subsidence.
        Subsidence = 4,
        /// Snow drifts (deprecated).
        SnowDrifts = 5,
        /// Storm damage (deprecated).
        StormDamage = 6,
        /// Burst pipe (deprecated).
        BurstPipe = 7,
        /// Lava.
        Lava = 8,
        /// Falling ice (deprecated).
        FallingIce = 9,
        /// Fire.
        Fire = 10,
        /// Flooding (deprecated).
        Flooding = 11,
        /// Wear and tear.
        WearAndTear = 12,
    }
    /// Sub-causes of "hazardous location obstacle on the road" (`HazardousLocation-ObstacleOnTheRoadSubCauseCode`).
    HazardousLocationObstacleOnTheRoadSubCause {
        /// Shed load.
        ShedLoad = 1,
        /// Parts of vehicles.
        PartsOfVehicles = 2,
        /// Parts of tyres.
        PartsOfTyres = 3,
        /// Big objects.
        BigObjects = 4,
        /// Fallen trees.
        FallenTrees = 5,
        /// Hub caps.
        HubCaps = 6,
        /// Waiting vehicles (deprecated).
        WaitingVehicles = 7,
    }
    /// Sub-causes of "hazardous location animal on the road" (`HazardousLocation-AnimalOnTheRoadSubCauseCode`).
    HazardousLocationAnimalOnTheRoadSubCause {
        /// Wild animals.
        WildAnimals = 1,
        /// Herd of animals.
        HerdOfAnimals = 2,
        /// Small animals.
        SmallAnimals = 3,
        /// Large animals.
        LargeAnimals = 4,
        /// Wild animals small.
        WildAnimalsSmall = 5,
        /// Wild animals large.
        WildAnimalsLarge = 6,
        /// Domestic animals.
        DomesticAnimals = 7,
        /// Domestic animals small.
        DomesticAnimalsSmall = 8,
        /// Domestic animals large.
        DomesticAnimalsLarge = 9,
    }
    /// Sub-causes of "human presence on the road" (`HumanPresenceOnTheRoadSubCauseCode`).
    HumanPresenceOnTheRoadSubCause {
        /// Children on roadway.
        ChildrenOnRoadway = 1,
        /// Cyclist on roadway.
        CyclistOnRoadway = 2,
        /// Motorcyclist on roadway.
        MotorcyclistOnRoadway = 3,
        /// Pedestrian.
        Pedestrian = 4,
        /// Ordinary pedestrian.
        OrdinaryPedestrian = 5,
        /// Road worker.
        RoadWorker = 6,
        /// First responder.
        FirstResponder = 7,
        /// Light vru vehicle.
        LightVruVehicle = 8,
        /// Bicyclist.
        Bicyclist = 9,
        /// Wheelchair user.
        WheelchairUser = 10,
        /// Horse and rider.
        HorseAndRider = 11,
        /// Rollerskater.
        Rollerskater = 12,
        /// E scooter.
        EScooter = 13,
        /// Personal transporter.
        PersonalTransporter = 14,
        /// Pedelec.
        Pedelec = 15,
        /// Speed pedelec.
        SpeedPedelec = 16,
        /// Ptw.
        Ptw = 17,
        /// Moped.
        Moped = 18,
        /// Motorcycle.
        Motorcycle = 19,
        /// Motorcycle and sidecar right.
        MotorcycleAndSidecarRight = 20,
        /// Motorcycle and sidecar left.
        MotorcycleAndSidecarLeft = 21,
    }
    /// Sub-causes of "wrong way driving" (`WrongWayDrivingSubCauseCode`).
    WrongWayDrivingSubCause {
        /// Wrong lane (deprecated).
        WrongLane = 1,
        /// Wrong direction.
        WrongDirection = 2,
    }
    /// Sub-causes of "rescue recovery and maintenance work in progress" (`RescueRecoveryAndMaintenanceWorkInProgressSubCauseCode`).
    RescueRecoveryAndMaintenanceWorkInProgressSubCause {
        /// Emergency vehicles.
        EmergencyVehicles = 1,
        /// Rescue helicopter landing.
        RescueHelicopterLanding = 2,
        /// Police activity ongoing.
        PoliceActivityOngoing = 3,
        /// Medical emergency ongoing.
        MedicalEmergencyOngoing = 4,
        /// Child abduction in progress (deprecated).
        ChildAbductionInProgress = 5,
        /// Prioritized vehicle.
        PrioritizedVehicle = 6,
        /// Rescue and recovery vehicle.
        RescueAndRecoveryVehicle = 7,
    }
    /// Sub-causes of "adverse weather condition wind" (`AdverseWeatherCondition-WindSubCauseCode`).
    AdverseWeatherConditionWindSubCause {
        /// Strong winds.
        StrongWinds = 1,
        /// Damaging hail (deprecated).
        DamagingHail = 2,
        /// Hurricane.
        Hurricane = 3,
        /// Thunderstorm.
        Thunderstorm = 4,
        /// Tornado.
        Tornado = 5,
        /// Blizzard.
        Blizzard = 6,
    }
    /// Sub-causes of "adverse weather condition visibility" (`AdverseWeatherCondition-VisibilitySubCauseCode`).
    AdverseWeatherConditionVisibilitySubCause {
        /// Fog.
        Fog = 1,
        /// Smoke.
        Smoke = 2,
        /// Snowfall.
        Snowfall = 3,
        /// Rain.
        Rain = 4,
        /// Hail.
        Hail = 5,
        /// Low sun glare.
        LowSunGlare = 6,
        /// Sandstorms.
        Sandstorms = 7,
        /// Swarms of insects.
        SwarmsOfInsects = 8,
    }
    /// Sub-causes of "adverse weather condition precipitation" (`AdverseWeatherCondition-PrecipitationSubCauseCode`).
    AdverseWeatherConditionPrecipitationSubCause {
        /// Rain.
        Rain = 1,
        /// Snowfall.
        Snowfall = 2,
        /// Hail.
        Hail = 3,
    }
    /// Sub-causes of "slow vehicle" (`SlowVehicleSubCauseCode`).
    SlowVehicleSubCause {
        /// Maintenance vehicle.
        MaintenanceVehicle = 1,
        /// Vehicles slowing to look at accident.
        VehiclesSlowingToLookAtAccident = 2,
        /// Abnormal load.
        AbnormalLoad = 3,
        /// Abnormal wide load.
        AbnormalWideLoad = 4,
        /// Convoy.
        Convoy = 5,
        /// Winter maintenance snowplough.
        WinterMaintenanceSnowplough = 6,
        /// Deicing (deprecated).
        Deicing = 7,
        /// Winter maintenance adhesion improvement.
        WinterMaintenanceAdhesionImprovement = 8,
    }
    /// Sub-causes of "dangerous end of queue" (`DangerousEndOfQueueSubCauseCode`).
    DangerousEndOfQueueSubCause {
        /// Sudden end of queue.
        SuddenEndOfQueue = 1,
        /// Queue over hill.
        QueueOverHill = 2,
        /// Queue around bend.
        QueueAroundBend = 3,
        /// Queue in tunnel.
        QueueInTunnel = 4,
    }
    /// Sub-causes of "vehicle breakdown" (`VehicleBreakdownSubCauseCode`).
    VehicleBreakdownSubCause {
        /// Lack of fuel.
        LackOfFuel = 1,
        /// Lack of battery power.
        LackOfBatteryPower = 2,
        /// Engine problem.
        EngineProblem = 3,
        /// Transmission problem.
        TransmissionProblem = 4,
        /// Engine cooling problem.
        EngineCoolingProblem = 5,
        /// Braking system problem.
        BrakingSystemProblem = 6,
        /// Steering problem.
        SteeringProblem = 7,
        /// Tyre puncture (deprecated).
        TyrePuncture = 8,
        /// Tyre pressure problem.
        TyrePressureProblem = 9,
        /// Vehicle on fire.
        VehicleOnFire = 10,
    }
    /// Sub-causes of "post crash" (`PostCrashSubCauseCode`).
    PostCrashSubCause {
        /// Accident without ecall triggered.
        AccidentWithoutECallTriggered = 1,
        /// Accident with ecall manually triggered.
        AccidentWithECallManuallyTriggered = 2,
        /// Accident with ecall automatically triggered.
        AccidentWithECallAutomaticallyTriggered = 3,
        /// Accident with ecall triggered without access to cellular network.
        AccidentWithECallTriggeredWithoutAccessToCellularNetwork = 4,
    }
    /// Sub-causes of "human problem" (`HumanProblemSubCauseCode`).
    HumanProblemSubCause {
        /// Glycemia problem.
        GlycemiaProblem = 1,
        /// Heart problem.
        HeartProblem = 2,
        /// Unresponsive driver.
        UnresponsiveDriver = 3,
    }
    /// Sub-causes of "stationary vehicle" (`StationaryVehicleSubCauseCode`).
    StationaryVehicleSubCause {
        /// Human problem (deprecated).
        HumanProblem = 1,
        /// Vehicle breakdown.
        VehicleBreakdown = 2,
        /// Post crash.
        PostCrash = 3,
        /// Public transport stop.
        PublicTransportStop = 4,
        /// Carrying dangerous goods.
        CarryingDangerousGoods = 5,
        /// Vehicle on fire.
        VehicleOnFire = 6,
    }
    /// Sub-causes of "emergency vehicle approaching" (`EmergencyVehicleApproachingSubCauseCode`).
    EmergencyVehicleApproachingSubCause {
        /// Emergency vehicle approaching.
        EmergencyVehicleApproaching = 1,
        /// Prioritized vehicle approaching.
        PrioritizedVehicleApproaching = 2,
    }
    /// Sub-causes of "hazardous location dangerous curve" (`HazardousLocation-DangerousCurveSubCauseCode`).
    HazardousLocationDangerousCurveSubCause {
        /// Dangerous left turn curve.
        DangerousLeftTurnCurve = 1,
        /// Dangerous right turn curve.
        DangerousRightTurnCurve = 2,
        /// Multiple curves starting with unknown turning direction.
        MultipleCurvesStartingWithUnknownTurningDirection = 3,
        /// Multiple curves starting with left turn.
        MultipleCurvesStartingWithLeftTurn = 4,
        /// Multiple curves starting with right turn.
        MultipleCurvesStartingWithRightTurn = 5,
    }
    /// Sub-causes of "collision risk" (`CollisionRiskSubCauseCode`).
    CollisionRiskSubCause {
        /// Longitudinal collision risk.
        LongitudinalCollisionRisk = 1,
        /// Crossing collision risk.
        CrossingCollisionRisk = 2,
        /// Lateral collision risk.
        LateralCollisionRisk = 3,
        /// Vulnerable road user.
        VulnerableRoadUser = 4,
        /// Collision risk with pedestrian.
        CollisionRiskWithPedestrian = 5,
        /// Collision risk with cyclist.
        CollisionRiskWithCyclist = 6,
        /// Collision risk with motor vehicle.
        CollisionRiskWithMotorVehicle = 7,
        /// Erratic driving.
        ErraticDriving = 8,
        /// Reckless driving.
        RecklessDriving = 9,
    }
    /// Sub-causes of "signal violation" (`SignalViolationSubCauseCode`).
    SignalViolationSubCause {
        /// Stop sign violation.
        StopSignViolation = 1,
        /// Traffic light violation.
        TrafficLightViolation = 2,
        /// Turning regulation violation.
        TurningRegulationViolation = 3,
    }
    /// Sub-causes of "dangerous situation" (`DangerousSituationSubCauseCode`).
    DangerousSituationSubCause {
        /// Emergency electronic brake engaged.
        EmergencyElectronicBrakeEngaged = 1,
        /// Pre crash system engaged.
        PreCrashSystemEngaged = 2,
        /// Esp engaged.
        EspEngaged = 3,
        /// Abs engaged.
        AbsEngaged = 4,
        /// Aeb engaged.
        AebEngaged = 5,
        /// Brake warning engaged.
        BrakeWarningEngaged = 6,
        /// Collision risk warning engaged.
        CollisionRiskWarningEngaged = 7,
        /// Risk mitigation function engaged.
        RiskMitigationFunctionEngaged = 8,
    }
    /// Sub-causes of "railway level crossing" (`RailwayLevelCrossingSubCauseCode`).
    RailwayLevelCrossingSubCause {
        /// Do not cross abnormal situation.
        DoNotCrossAbnormalSituation = 1,
        /// Closed.
        Closed = 2,
        /// Unguarded.
        Unguarded = 3,
        /// Nominal.
        Nominal = 4,
        /// Train approaching.
        TrainApproaching = 5,
    }
}
