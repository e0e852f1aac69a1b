//! What vehicles do or should do.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::mcm::road_resource::{AdvisedTrrContainer, TemporalCharacteristics, Trajectory, TrrDescription};
use crate::uper::bounded::Null;
use crate::uper::declare::{choice, sequence};

choice! {
    /// What a vehicle does (`ManoeuvreOverallStrategy`, `SubmanoeuvreStrategy`).
    pub enum ManoeuvreStrategy {
        /// Not stated.
        Undefined(Null) = Null, "undefined";
        /// To human driving.
        HumanDrivenMode(Null) = Null, "transitToHumanDrivenMode";
        /// To automated driving.
        AutomatedDrivingMode(Null) = Null, "transitToAutomatedDrivingMode";
        /// Straight on.
        DriveStraight(Null) = Null, "driveStraight";
        /// Left.
        TurnLeft(Null) = Null, "turnLeft";
        /// Right.
        TurnRight(Null) = Null, "turnRight";
        /// Turn round.
        UTurn(Null) = Null, "uTurn";
        /// Backwards.
        MoveBackward(Null) = Null, "moveBackward";
        /// Overtake.
        Overtake(Null) = Null, "overtake";
        /// Accelerate.
        Accelerate(Null) = Null, "accelerate";
        /// Slow down.
        SlowDown(Null) = Null, "slowDown";
        /// Stop.
        Stop(Null) = Null, "stop";
        /// Change to the left lane.
        GoToLeftLane(Null) = Null, "goToLeftLane";
        /// Change to the right lane.
        GoToRightLane(Null) = Null, "goToRightLane";
        /// Enter a motorway.
        GetOnHighway(Null) = Null, "getOnHighway";
        /// Leave a motorway.
        ExitHighway(Null) = Null, "exitHighway";
        /// Take a lane of the toll station, 1..=31.
        TakeTollingLane(u8) = Int<u8, 1, 31>, "takeTollingLane";
        /// Stop and wait.
        StopAndWait(Null) = Null, "stopAndWait";
        /// Emergency stop.
        EmergencyBrakeAndStop(Null) = Null, "emergencyBrakeAndStop";
        /// Go on after a stop.
        ResetStopAndRestartMoving(Null) = Null, "resetStopAndRestartMoving";
        /// Stay in the lane.
        StayInLane(Null) = Null, "stayInLane";
        /// No need to stay in the lane any more.
        ResetStayInLane(Null) = Null, "resetStayInLane";
        /// Stay away.
        StayAway(Null) = Null, "stayAway";
        /// No need to stay away any more.
        ResetStayAway(Null) = Null, "resetStayAway";
        /// Follow the sender.
        FollowMe(Null) = Null, "followMe";
        /// In a group.
        ExistingGroup(Null) = Null, "existingGroup";
        /// Disband a group for a while.
        TemporarilyDisbandGroup(Null) = Null, "temporarilyDisbandAnExistingGroup";
        /// Form a group for a while.
        ConstituteTemporaryGroup(Null) = Null, "constituteATemporarilyGroup";
        /// End such a group.
        DisbandTemporaryGroup(Null) = Null, "disbandATemporarilyGroup";
    }
}

/// Parts of a manoeuvre (`ListOfSubmanoeuvreDescriptionsContainer`), at most 31.
pub type SubmanoeuvreDescriptions = List<SubmanoeuvreDescription, 0, 31>;
/// Codec of [`SubmanoeuvreDescriptions`].
pub(crate) type SubmanoeuvreDescriptionList = ListOf<SubmanoeuvreDescription, 0, 0, 31>;

sequence! {
    /// One part of a manoeuvre (`SubmanoeuvreDescription`).
    pub struct SubmanoeuvreDescription {
        /// Its number.
        req submanoeuvre_id: u8 = Int<u8, 0, 255>, "submanoeuvreID";
        /// What the vehicle does.
        opt submanoeuvre_strategy: ManoeuvreStrategy = ManoeuvreStrategy, "submanoeuvreStrategy";
        /// Its way.
        opt reference_trajectory: Box<Trajectory> = OnHeap<Trajectory>, "referenceTrajectory";
        /// The part of the road that it needs.
        opt target_road_resource: Box<TrrDescription> = OnHeap<TrrDescription>, "targetRoadResourceIContainer";
        /// When.
        req temporal_characteristics: TemporalCharacteristics = TemporalCharacteristics, "temporalCharateristics";
        /// How it moves: nothing yet in the draft.
        opt kinematics_characteristics: Null = Null, "kinematicsCharacteristics";
    }
}

/// What others should do (`ManoeuvreAdviceContainer`), 1..=16.
pub type ManoeuvreAdvices = List<ManoeuvreAdvice, 0, 16>;
/// Codec of [`ManoeuvreAdvices`].
pub(crate) type ManoeuvreAdviceList = ListOf<ManoeuvreAdvice, 0, 1, 16>;

sequence! {
    /// What one station should do (`ManoeuvreAdvice`).
    pub struct ManoeuvreAdvice {
        /// The station.
        req executant_id: StationId = StationIdCodec, "executantID";
        /// What it should change.
        opt current_state_advised_change: CurrentStateAdvisedChange = CurrentStateAdvisedChange, "currentStateAdvisedChange";
        /// Parts, 1..=16.
        req submanoeuvres: List<Submanoeuvre, 0, 16> = ListOf<Submanoeuvre, 0, 1, 16>, "submaneuvres";
    }
}

sequence! {
    /// One part of an advised manoeuvre (`Submanoeuvre`).
    pub struct Submanoeuvre {
        /// Its number.
        req submanoeuvre_id: u8 = Int<u8, 0, 255>, "submanoeuvreId";
        /// The way.
        opt advised_trajectory: Box<Trajectory> = OnHeap<Trajectory>, "advisedTrajectory";
        /// The part of the road.
        opt advised_target_road_resource: Box<AdvisedTrrContainer> = OnHeap<AdvisedTrrContainer>, "advisedTargetRoadResource";
    }
}

choice! {
    /// What a vehicle should change (`CurrentStateAdvisedChange`).
    pub enum CurrentStateAdvisedChange {
        /// To human driving.
        HumanDrivingMode(Null) = Null, "transitToHumanDrivingMode";
        /// To automated driving.
        AutomatedDrivingMode(Null) = Null, "transitToAutomatedDrivingMode";
        /// Follow the sender, with this distance in time, 300..=2000 ms.
        FollowMeMs(u16) = Int<u16, 300, 2000>, "followMeWithMinTimeInterDistance";
        /// Join a group.
        JoinGroup(JoinGroupStateChange) = JoinGroupStateChange, "joinGroup";
        /// Leave a group.
        LeaveGroup(Null) = Null, "leaveGroup";
        /// Emergency braking.
        EmergencyBrakeTriggering(Null) = Null, "emergencyBrakeTriggering";
        /// Stay in the lane.
        StayInLane(Null) = Null, "stayInLane";
        /// Stop.
        Stop(Null) = Null, "stop";
        /// No need to stop any more.
        ResetStop(Null) = Null, "resetStop";
        /// No need to stay in the lane any more.
        ResetStayInLane(Null) = Null, "resetStayInLane";
        /// Stay away of a vehicle.
        StayAwayOfVehicle(Null) = Null, "stayAwayOfVehicleSithStationID";
        /// No need to stay away of it any more.
        ResetStayAwayOfVehicle(Null) = Null, "resetStayAwayOfVehicle";
    }
}

choice! {
    /// How to join a group (`JoinGroupStateChange`).
    pub enum JoinGroupStateChange {
        /// Match its speed.
        VehicleSynchronization(Null) = Null, "vehicleSynchronization";
        /// One behind the other.
        ModeLong(Null) = Null, "modeLong";
        /// From the left lane.
        ModeLatLeftLane(Null) = Null, "modeLatLeftLane";
        /// From the right lane.
        ModeLatRightLane(Null) = Null, "modeLatRightLane";
        /// With this distance in time, 300..=2000 ms.
        WithMinTimeInterDistanceMs(u16) = Int<u16, 300, 2000>, "withMinTimeInterDistance";
    }
}
