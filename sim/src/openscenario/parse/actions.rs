//! Actions.

use super::positions::MAX_POINTS;
use super::{Context, Result};
use crate::openscenario::model::*;
use crate::openscenario::xml::Element;
use crate::weather::Weather;

const SHAPES: &[(&str, Shape)] =
    &[("step", Shape::Step), ("linear", Shape::Linear), ("cubic", Shape::Cubic), ("sinusoidal", Shape::Sinusoidal)];

impl Context {
    pub(super) fn global_action(&self, action: Element<'_>) -> Result<Action> {
        let e = action.choice()?;
        match e.tag() {
            "ParameterAction" | "VariableAction" => set_parameter(e),
            "InfrastructureAction" => {
                let signal = e.choice()?;
                if signal.tag() != "TrafficSignalAction" {
                    return signal.refuse();
                }
                let state = signal.choice()?;
                if state.tag() != "TrafficSignalStateAction" {
                    return state.refuse();
                }
                state.only(&["name", "state"], &[])?;
                Ok(Action::Signal(state.required("name")?, state.required("state")?))
            }
            "EnvironmentAction" => {
                let e = e.choice()?;
                match e.tag() {
                    "Environment" => environment(e),
                    "CatalogReference" => self.catalogs.entry(e, "Environment", environment),
                    _ => e.refuse(),
                }
            }
            _ => e.refuse(),
        }
    }

    pub(super) fn private_action(&self, action: Element<'_>) -> Result<Action> {
        let e = action.choice()?;
        match e.tag() {
            "LongitudinalAction" => {
                let e = e.choice()?;
                match e.tag() {
                    "SpeedAction" => self.speed(e),
                    "LongitudinalDistanceAction" => self.longitudinal_distance(e),
                    _ => e.refuse(),
                }
            }
            "LateralAction" => {
                let e = e.choice()?;
                match e.tag() {
                    "LaneChangeAction" => self.lane_change(e),
                    "LaneOffsetAction" => self.lane_offset(e),
                    _ => e.refuse(),
                }
            }
            "VisibilityAction" => {
                e.only(&["graphics", "sensors", "traffic"], &[])?;
                let seen = [e.flag("graphics")?, e.flag("sensors")?, e.flag("traffic")?];
                match seen {
                    [Some(a), Some(b), Some(c)] if a == b && b == c => Ok(Action::Visibility(a)),
                    _ => Err(e.unsupported("<VisibilityAction> whose three values differ")),
                }
            }
            "SynchronizeAction" => self.synchronize(e),
            "ActivateControllerAction" => activate_controller(e),
            "ControllerAction" => {
                let inner = e.choice()?;
                match inner.tag() {
                    "ActivateControllerAction" => activate_controller(inner),
                    _ => inner.refuse(),
                }
            }
            "TeleportAction" => {
                e.only(&[], &["Position"])?;
                Ok(Action::Teleport(self.position(e.child("Position")?)?))
            }
            "RoutingAction" => {
                let e = e.choice()?;
                match e.tag() {
                    "AssignRouteAction" => Ok(Action::AssignRoute(self.route(e.choice()?)?)),
                    "AcquirePositionAction" => Ok(Action::AcquirePosition(self.position(e.child("Position")?)?)),
                    "FollowTrajectoryAction" => self.follow_trajectory(e),
                    _ => e.refuse(),
                }
            }
            _ => e.refuse(),
        }
    }

    fn speed(&self, e: Element<'_>) -> Result<Action> {
        e.only(&[], &["SpeedActionDynamics", "SpeedActionTarget"])?;
        let dynamics = dynamics(e.child("SpeedActionDynamics")?)?;
        let target = e.child("SpeedActionTarget")?.choice()?;
        if target.tag() == "AbsoluteTargetSpeed" {
            target.only(&["value"], &[])?;
            return Ok(Action::Speed(dynamics, TargetSpeed::Absolute(target.required_number("value")?)));
        }
        if target.tag() != "RelativeTargetSpeed" {
            return target.refuse();
        }
        target.only(&["entityRef", "value", "speedTargetValueType", "continuous"], &[])?;
        let (other, value) = (self.entity(target, "entityRef")?, target.required_number("value")?);
        let speed = match target.one_of("speedTargetValueType", &[("delta", false), ("factor", true)])? {
            Some(true) => TargetSpeed::Factor(other, value),
            _ => TargetSpeed::Delta(other, value),
        };
        if target.flag("continuous")? != Some(true) {
            return Ok(Action::Speed(dynamics, speed));
        }
        // The standard forbids an end to what has none.
        if dynamics.shape != Shape::Step && dynamics.dimension != Dimension::Rate {
            return Err(target.unsupported("continuous=\"true\" with a time or distance"));
        }
        Ok(Action::FollowSpeed(dynamics, speed))
    }

    fn longitudinal_distance(&self, e: Element<'_>) -> Result<Action> {
        const SIDES: &[(&str, Displacement)] = &[
            ("any", Displacement::Any),
            ("trailingReferencedEntity", Displacement::Trailing),
            ("leadingReferencedEntity", Displacement::Leading),
        ];
        e.only(
            &["entityRef", "continuous", "distance", "timeGap", "freespace", "coordinateSystem", "displacement"],
            &["DynamicConstraints"],
        )?;
        e.one_of("coordinateSystem", &[("road", ()), ("lane", ()), ("entity", ())])?;
        let gap = match (e.number("distance")?, e.number("timeGap")?) {
            (Some(distance), None) => Gap::Distance(distance),
            (None, Some(time)) => Gap::Time(time),
            _ => return Err(e.invalid("<LongitudinalDistanceAction> needs either distance or timeGap")),
        };
        let constraints = e.maybe("DynamicConstraints").map(constraints).transpose()?;
        Ok(Action::LongitudinalDistance {
            entity: self.entity(e, "entityRef")?,
            gap,
            freespace: e.flag("freespace")?.unwrap_or(false),
            continuous: e.flag("continuous")?.unwrap_or(false),
            displacement: e.one_of("displacement", SIDES)?.unwrap_or(Displacement::Any),
            constraints,
        })
    }

    fn lane_change(&self, e: Element<'_>) -> Result<Action> {
        e.only(&["targetLaneOffset"], &["LaneChangeActionDynamics", "LaneChangeTarget"])?;
        let target = e.child("LaneChangeTarget")?.choice()?;
        let value =
            target.parsed::<i32>("value")?.ok_or_else(|| target.invalid(format!("<{}> has no value", target.tag())))?;
        let lane = match target.tag() {
            "AbsoluteTargetLane" => TargetLane::Absolute(value),
            "RelativeTargetLane" => TargetLane::Relative(self.entity(target, "entityRef")?, value),
            _ => return target.refuse(),
        };
        let offset_m = e.number("targetLaneOffset")?.unwrap_or_default();
        Ok(Action::LaneChange(dynamics(e.child("LaneChangeActionDynamics")?)?, lane, offset_m))
    }

    fn lane_offset(&self, e: Element<'_>) -> Result<Action> {
        e.only(&["continuous"], &["LaneOffsetActionDynamics", "LaneOffsetTarget"])?;
        if e.flag("continuous")? == Some(true) {
            return Err(e.unsupported("continuous=\"true\" of <LaneOffsetAction>"));
        }
        let dynamics = e.child("LaneOffsetActionDynamics")?;
        dynamics.only(&["dynamicsShape", "maxLateralAcc"], &[])?;
        let shape = dynamics.one_of("dynamicsShape", SHAPES)?;
        let target = e.child("LaneOffsetTarget")?.choice()?;
        let value = target.required_number("value")?;
        Ok(Action::LaneOffset {
            shape: shape
                .ok_or_else(|| dynamics.invalid("<LaneOffsetActionDynamics> has no attribute dynamicsShape"))?,
            max_lateral_mps2: dynamics.number("maxLateralAcc")?.filter(|limit| *limit > 0.0),
            target: match target.tag() {
                "AbsoluteTargetLaneOffset" => LaneOffsetTarget::Absolute(value),
                "RelativeTargetLaneOffset" => LaneOffsetTarget::Relative(self.entity(target, "entityRef")?, value),
                _ => return target.refuse(),
            },
        })
    }

    fn synchronize(&self, e: Element<'_>) -> Result<Action> {
        e.only(
            &["masterEntityRef", "targetTolerance", "targetToleranceMaster"],
            &["TargetPositionMaster", "TargetPosition", "FinalSpeed"],
        )?;
        let final_speed = match e.maybe("FinalSpeed").map(|holder| holder.choice()).transpose()? {
            None => None,
            Some(speed) => {
                // A steady state at the end is not among these.
                speed.only(&["value", "speedTargetValueType"], &[])?;
                let value = speed.required_number("value")?;
                let factor = speed.one_of("speedTargetValueType", &[("delta", false), ("factor", true)])?;
                Some(match (speed.tag(), factor) {
                    ("AbsoluteSpeed", _) => FinalSpeed::Absolute(value),
                    ("RelativeSpeedToMaster", Some(true)) => FinalSpeed::Factor(value),
                    ("RelativeSpeedToMaster", _) => FinalSpeed::Delta(value),
                    _ => return speed.refuse(),
                })
            }
        };
        Ok(Action::Synchronize {
            master: self.entity(e, "masterEntityRef")?,
            master_position: self.position(e.child("TargetPositionMaster")?)?,
            position: self.position(e.child("TargetPosition")?)?,
            master_tolerance_m: e.number("targetToleranceMaster")?.unwrap_or(0.1).max(0.0),
            tolerance_m: e.number("targetTolerance")?.unwrap_or(0.1).max(0.0),
            final_speed,
        })
    }

    fn follow_trajectory(&self, e: Element<'_>) -> Result<Action> {
        e.only(&[], &["Trajectory", "TrajectoryRef", "TimeReference", "TrajectoryFollowingMode"])?;
        if let Some(mode) = e.maybe("TrajectoryFollowingMode") {
            mode.only(&["followingMode"], &[])?;
            mode.one_of("followingMode", &[("follow", ()), ("position", ())])?;
        }
        let trajectory = match e.maybe("TrajectoryRef") {
            Some(reference) => reference.choice()?,
            None => e.child("Trajectory")?,
        };
        let trajectory = match trajectory.tag() {
            "CatalogReference" => self.catalogs.entry(trajectory, "Trajectory", |entry| self.trajectory(entry))?,
            _ => self.trajectory(trajectory)?,
        };
        let timing = e.child("TimeReference")?.choice()?;
        let timing = match timing.tag() {
            "None" => None,
            "Timing" => {
                timing.only(&["domainAbsoluteRelative", "scale", "offset"], &[])?;
                let relative = timing
                    .one_of("domainAbsoluteRelative", &[("relative", true), ("absolute", false)])?
                    .unwrap_or(true);
                let scale = timing.number("scale")?.unwrap_or(1.0);
                if scale <= 0.0 {
                    return Err(timing.invalid(format!("scale cannot be {scale}")));
                }
                Some(Timing { relative, scale, offset_s: timing.number("offset")?.unwrap_or_default() })
            }
            _ => return timing.refuse(),
        };
        Ok(Action::FollowTrajectory(trajectory, timing))
    }

    fn trajectory(&self, e: Element<'_>) -> Result<Trajectory> {
        e.only(&["name", "closed"], &["ParameterDeclarations", "Shape"])?;
        if e.flag("closed")? == Some(true) {
            return Err(e.unsupported("closed=\"true\" of <Trajectory>"));
        }
        let shape = e.child("Shape")?.choice()?;
        let shape = match shape.tag() {
            "Polyline" => {
                shape.only(&[], &["Vertex"])?;
                let vertices = shape
                    .all("Vertex")
                    .take(MAX_POINTS)
                    .map(|vertex| {
                        vertex.only(&["time"], &["Position"])?;
                        Ok((vertex.number("time")?, self.position(vertex.child("Position")?)?))
                    })
                    .collect::<Result<Vec<_>>>()?;
                if vertices.len() < 2 {
                    return Err(shape.invalid("a <Polyline> needs two vertices"));
                }
                TrajectoryShape::Polyline(vertices)
            }
            "Clothoid" => {
                shape.only(
                    &["curvature", "curvatureDot", "curvaturePrime", "length", "startTime", "stopTime"],
                    &["Position"],
                )?;
                let change = shape.number("curvaturePrime")?.or(shape.number("curvatureDot")?);
                let length_m = shape.required_number("length")?;
                if !(0.0..1e5).contains(&length_m) {
                    return Err(shape.invalid(format!("length cannot be {length_m}")));
                }
                TrajectoryShape::Clothoid {
                    curvature: shape.required_number("curvature")?,
                    curvature_dot: change.unwrap_or_default(),
                    length_m,
                    start: self.position(shape.child("Position")?)?,
                    times_s: shape.number("startTime")?.zip(shape.number("stopTime")?).map(|(a, b)| [a, b]),
                }
            }
            _ => return shape.refuse(),
        };
        Ok(Trajectory { name: e.name(), shape })
    }
}

/// The only controller here is the default one, so there is nothing to activate.
fn activate_controller(e: Element<'_>) -> Result<Action> {
    e.only(&["longitudinal", "lateral"], &[])?;
    Ok(Action::ActivateController)
}

fn dynamics(e: Element<'_>) -> Result<Dynamics> {
    const DIMENSIONS: &[(&str, Dimension)] =
        &[("time", Dimension::Time), ("rate", Dimension::Rate), ("distance", Dimension::Distance)];
    e.only(&["dynamicsShape", "dynamicsDimension", "value", "followingMode"], &[])?;
    e.one_of("followingMode", &[("position", ())])?;
    let missing = |name| e.invalid(format!("<{}> has no attribute {name}", e.tag()));
    let shape = e.one_of("dynamicsShape", SHAPES)?.ok_or_else(|| missing("dynamicsShape"))?;
    let dimension = e.one_of("dynamicsDimension", DIMENSIONS)?.ok_or_else(|| missing("dynamicsDimension"))?;
    // Signs of rates are written both ways; the direction is that of the target.
    let value = e.required_number("value")?.abs();
    if value == 0.0 && shape != Shape::Step && dimension == Dimension::Rate {
        return Err(e.invalid("a change at rate 0 never ends"));
    }
    Ok(Dynamics { shape, dimension, value })
}

fn constraints(e: Element<'_>) -> Result<Constraints> {
    e.only(&["maxAcceleration", "maxDeceleration", "maxSpeed"], &[])?;
    let limit = |name| Ok::<_, crate::openscenario::Error>(e.number(name)?.unwrap_or(f64::INFINITY).abs());
    Ok(Constraints {
        acceleration_mps2: limit("maxAcceleration")?,
        deceleration_mps2: limit("maxDeceleration")?,
        speed_mps: limit("maxSpeed")?,
    })
}

fn set_parameter(e: Element<'_>) -> Result<Action> {
    let reference = if e.tag() == "ParameterAction" { "parameterRef" } else { "variableRef" };
    e.only(&[reference], &["SetAction", "ModifyAction"])?;
    let name = e.literal(reference).trim_start_matches('$').to_owned();
    let change = e.choice_among_children()?;
    if change.tag() == "SetAction" {
        change.only(&["value"], &[])?;
        return Ok(Action::SetParameter(name, change.required("value")?));
    }
    change.only(&[], &["Rule"])?;
    let rule = change.child("Rule")?.choice()?;
    rule.only(&["value"], &[])?;
    let value = rule.required_number("value")?;
    match rule.tag() {
        "AddValue" => Ok(Action::ModifyParameter(name, value, 1.0)),
        "MultiplyByValue" => Ok(Action::ModifyParameter(name, 0.0, value)),
        _ => rule.refuse(),
    }
}

fn environment(e: Element<'_>) -> Result<Action> {
    const CLOUDS: &[(&str, f64)] = &[
        ("free", 0.0),
        ("zeroOktas", 0.0),
        ("oneOktas", 0.125),
        ("twoOktas", 0.25),
        ("threeOktas", 0.375),
        ("fourOktas", 0.5),
        ("cloudy", 0.6),
        ("fiveOktas", 0.625),
        ("sixOktas", 0.75),
        ("sevenOktas", 0.875),
        ("overcast", 1.0),
        ("rainy", 1.0),
        ("eightOktas", 1.0),
        ("nineOktas", 1.0),
    ];
    e.only(&["name"], &["ParameterDeclarations", "Weather", "RoadCondition"])?;
    let mut weather = Weather::default();
    if let Some(element) = e.maybe("Weather") {
        element.only(
            &["cloudState", "fractionalCloudCover", "temperature", "atmosphericPressure"],
            &["Sun", "Fog", "Precipitation", "Wind"],
        )?;
        let cover = element.one_of("fractionalCloudCover", CLOUDS)?.or(element.one_of("cloudState", CLOUDS)?);
        weather.cloud_cover = cover.unwrap_or(weather.cloud_cover);
        if let Some(kelvin) = element.number("temperature")? {
            weather.temperature_c = kelvin - 273.15;
        }
        if let Some(sun) = element.maybe("Sun") {
            sun.only(&["azimuth", "elevation", "intensity", "illuminance"], &[])?;
            weather.sun_elevation_deg = sun.required_number("elevation")?.to_degrees();
            weather.sun_azimuth_deg = sun.required_number("azimuth")?.to_degrees();
        }
        if let Some(fog) = element.maybe("Fog") {
            fog.only(&["visualRange"], &["BoundingBox"])?;
            weather.visibility_m = fog.required_number("visualRange")?.clamp(1.0, 100_000.0);
        }
        if let Some(rain) = element.maybe("Precipitation") {
            rain.only(&["precipitationType", "precipitationIntensity", "intensity"], &[])?;
            // Snow is not among the weather here; `intensity` is the old name, in mm an hour too.
            let falls = rain.one_of("precipitationType", &[("dry", false), ("rain", true)])?.unwrap_or(false);
            let rate = rain.number("precipitationIntensity")?.or(rain.number("intensity")?).unwrap_or_default();
            weather.rain_mm_per_h = if falls { rate.clamp(0.0, 200.0) } else { 0.0 };
            weather.road_wetness = (weather.rain_mm_per_h / 10.0).min(1.0);
        }
        if let Some(wind) = element.maybe("Wind") {
            wind.only(&["direction", "speed"], &[])?;
            weather.wind_mps = wind.required_number("speed")?.clamp(0.0, 100.0);
            // Theirs is where it blows to, counter-clockwise from east; ours is where it comes from, clockwise from north.
            weather.wind_from_deg = (270.0 - wind.required_number("direction")?.to_degrees()).rem_euclid(360.0);
        }
    }
    if let Some(road) = e.maybe("RoadCondition") {
        road.only(&["frictionScaleFactor", "wetness"], &[])?;
        const WET: &[(&str, f64)] =
            &[("dry", 0.0), ("moist", 0.2), ("wetWithPuddles", 0.7), ("lowFlooded", 0.9), ("highFlooded", 1.0)];
        if let Some(wet) = road.one_of("wetness", WET)? {
            weather.road_wetness = wet;
        }
    }
    Ok(Action::Environment(weather))
}
