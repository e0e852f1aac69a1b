//! Triggers and conditions.

use super::{Context, Result};
use crate::openscenario::model::*;
use crate::openscenario::xml::Element;

const RULES: &[(&str, Rule)] = &[
    ("greaterThan", Rule::GreaterThan),
    ("greaterOrEqual", Rule::GreaterOrEqual),
    ("lessThan", Rule::LessThan),
    ("lessOrEqual", Rule::LessOrEqual),
    ("equalTo", Rule::EqualTo),
    ("notEqualTo", Rule::NotEqualTo),
];

const EDGES: &[(&str, Edge)] = &[
    ("none", Edge::None),
    ("rising", Edge::Rising),
    ("falling", Edge::Falling),
    ("risingOrFalling", Edge::RisingOrFalling),
];

const KINDS: &[(&str, ElementKind)] = &[
    ("story", ElementKind::Story),
    ("act", ElementKind::Act),
    ("maneuverGroup", ElementKind::ManeuverGroup),
    ("maneuver", ElementKind::Maneuver),
    ("event", ElementKind::Event),
    ("action", ElementKind::Action),
];

const STATES: &[(&str, ElementState)] = &[
    ("standbyState", ElementState::Standby),
    ("runningState", ElementState::Running),
    ("completeState", ElementState::Complete),
    ("startTransition", ElementState::StartTransition),
    ("endTransition", ElementState::EndTransition),
    ("stopTransition", ElementState::StopTransition),
    ("skipTransition", ElementState::SkipTransition),
];

impl Context {
    pub(super) fn trigger(&self, trigger: Option<Element<'_>>) -> Result<Trigger> {
        let Some(trigger) = trigger else { return Ok(Trigger::default()) };
        trigger.only(&[], &["ConditionGroup"])?;
        let groups = trigger
            .all("ConditionGroup")
            .map(|group| {
                group.only(&[], &["Condition"])?;
                group.all("Condition").map(|condition| self.condition(condition)).collect()
            })
            .collect::<Result<_>>()?;
        Ok(Trigger { groups })
    }

    fn condition(&self, condition: Element<'_>) -> Result<Condition> {
        condition.only(&["name", "delay", "conditionEdge"], &["ByEntityCondition", "ByValueCondition"])?;
        let inner = condition.choice_among_children()?;
        let kind = match inner.tag() {
            "ByEntityCondition" => self.by_entity(inner)?,
            _ => by_value(inner.choice()?)?,
        };
        let delay_s = condition.number("delay")?.unwrap_or_default();
        if !(0.0..1e6).contains(&delay_s) {
            return Err(condition.invalid(format!("delay cannot be {delay_s}")));
        }
        Ok(Condition {
            name: condition.name(),
            delay_s,
            edge: condition.one_of("conditionEdge", EDGES)?.unwrap_or(Edge::None),
            kind,
        })
    }

    fn by_entity(&self, condition: Element<'_>) -> Result<ConditionKind> {
        condition.only(&[], &["TriggeringEntities", "EntityCondition"])?;
        let triggering = condition.child("TriggeringEntities")?;
        triggering.only(&["triggeringEntitiesRule"], &["EntityRef"])?;
        let all = triggering.one_of("triggeringEntitiesRule", &[("any", false), ("all", true)])?.unwrap_or(false);
        let of = triggering
            .all("EntityRef")
            .map(|reference| {
                reference.only(&["entityRef"], &[])?;
                self.entity(reference, "entityRef")
            })
            .collect::<Result<Vec<_>>>()?;
        if of.is_empty() {
            return Err(triggering.invalid("<TriggeringEntities> is empty"));
        }
        Ok(ConditionKind::Entities { of, all, what: self.of_entity(condition.child("EntityCondition")?.choice()?)? })
    }

    fn of_entity(&self, e: Element<'_>) -> Result<EntityCondition> {
        const MEASURE: [&str; 5] =
            ["freespace", "alongRoute", "coordinateSystem", "relativeDistanceType", "routingAlgorithm"];
        let with = |own: &[&'static str]| [own, &MEASURE].concat();
        let compared = || Ok::<_, crate::openscenario::Error>((rule(e)?, e.required_number("value")?));
        Ok(match e.tag() {
            "TimeHeadwayCondition" => {
                e.only(&with(&["entityRef", "value", "rule"]), &[])?;
                let (rule, value) = compared()?;
                EntityCondition::TimeHeadway(self.entity(e, "entityRef")?, measure(e)?, rule, value)
            }
            "TimeToCollisionCondition" => {
                e.only(&with(&["value", "rule"]), &["TimeToCollisionConditionTarget"])?;
                let target = e.child("TimeToCollisionConditionTarget")?.choice()?;
                let target = match target.tag() {
                    "EntityRef" => Target::Entity(self.entity(target, "entityRef")?),
                    "Position" => Target::Position(self.position(target)?),
                    _ => return target.refuse(),
                };
                let (rule, value) = compared()?;
                EntityCondition::TimeToCollision(target, measure(e)?, rule, value)
            }
            "RelativeDistanceCondition" => {
                e.only(&with(&["entityRef", "value", "rule"]), &[])?;
                let (rule, value) = compared()?;
                EntityCondition::RelativeDistance(self.entity(e, "entityRef")?, measure(e)?, rule, value)
            }
            "DistanceCondition" => {
                e.only(&with(&["value", "rule"]), &["Position"])?;
                let (rule, value) = compared()?;
                EntityCondition::Distance(self.position(e.child("Position")?)?, measure(e)?, rule, value)
            }
            "ReachPositionCondition" => {
                e.only(&["tolerance"], &["Position"])?;
                EntityCondition::ReachPosition(self.position(e.child("Position")?)?, e.required_number("tolerance")?)
            }
            "TraveledDistanceCondition" => {
                e.only(&["value"], &[])?;
                EntityCondition::TraveledDistance(e.required_number("value")?)
            }
            "SpeedCondition" => {
                e.only(&["value", "rule", "direction"], &[])?;
                longitudinal_only(e)?;
                let (rule, value) = compared()?;
                EntityCondition::Speed(rule, value)
            }
            "RelativeSpeedCondition" => {
                e.only(&["entityRef", "value", "rule", "direction"], &[])?;
                longitudinal_only(e)?;
                let (rule, value) = compared()?;
                EntityCondition::RelativeSpeed(self.entity(e, "entityRef")?, rule, value)
            }
            "AccelerationCondition" => {
                e.only(&["value", "rule", "direction"], &[])?;
                longitudinal_only(e)?;
                let (rule, value) = compared()?;
                EntityCondition::Acceleration(rule, value)
            }
            "StandStillCondition" => {
                e.only(&["duration"], &[])?;
                EntityCondition::StandStill(e.required_number("duration")?)
            }
            "CollisionCondition" => {
                let with = e.choice()?;
                match with.tag() {
                    "EntityRef" => EntityCondition::Collision(self.entity(with, "entityRef")?),
                    _ => return with.refuse(),
                }
            }
            "EndOfRoadCondition" => {
                e.only(&["duration"], &[])?;
                EntityCondition::EndOfRoad(e.required_number("duration")?)
            }
            "OffroadCondition" => {
                e.only(&["duration"], &[])?;
                EntityCondition::Offroad(e.required_number("duration")?)
            }
            _ => return e.refuse(),
        })
    }
}

fn by_value(e: Element<'_>) -> Result<ConditionKind> {
    Ok(match e.tag() {
        "SimulationTimeCondition" => {
            e.only(&["value", "rule"], &[])?;
            ConditionKind::SimulationTime(rule(e)?, e.required_number("value")?)
        }
        "ParameterCondition" | "VariableCondition" => {
            let name = if e.tag() == "ParameterCondition" { "parameterRef" } else { "variableRef" };
            e.only(&[name, "value", "rule"], &[])?;
            ConditionKind::Parameter(e.literal(name).trim_start_matches('$').to_owned(), rule(e)?, e.required("value")?)
        }
        "StoryboardElementStateCondition" => {
            e.only(&["storyboardElementType", "storyboardElementRef", "state"], &[])?;
            let missing = |name| e.invalid(format!("<{}> has no attribute {name}", e.tag()));
            ConditionKind::ElementState {
                kind: e.one_of("storyboardElementType", KINDS)?.ok_or_else(|| missing("storyboardElementType"))?,
                reference: e.required("storyboardElementRef")?,
                state: e.one_of("state", STATES)?.ok_or_else(|| missing("state"))?,
            }
        }
        "TrafficSignalCondition" => {
            e.only(&["name", "state"], &[])?;
            ConditionKind::Signal(e.required("name")?, e.required("state")?)
        }
        _ => return e.refuse(),
    })
}

fn rule(e: Element<'_>) -> Result<Rule> {
    e.one_of("rule", RULES)?.ok_or_else(|| e.invalid(format!("<{}> has no attribute rule", e.tag())))
}

fn longitudinal_only(e: Element<'_>) -> Result<()> {
    e.one_of("direction", &[("longitudinal", ())]).map(|_| ())
}

fn measure(e: Element<'_>) -> Result<Measure> {
    const SYSTEMS: &[(&str, CoordinateSystem)] =
        &[("entity", CoordinateSystem::Entity), ("road", CoordinateSystem::Road), ("lane", CoordinateSystem::Lane)];
    const TYPES: &[(&str, DistanceType)] = &[
        ("longitudinal", DistanceType::Longitudinal),
        ("lateral", DistanceType::Lateral),
        ("cartesianDistance", DistanceType::Euclidean),
        ("euclidianDistance", DistanceType::Euclidean),
    ];
    // Deprecated since 1.1: along the route is longitudinal in the road's axes, else straight.
    let along_route = e.flag("alongRoute")?;
    let system = e.one_of("coordinateSystem", SYSTEMS)?.unwrap_or(match along_route {
        Some(true) => CoordinateSystem::Road,
        _ => CoordinateSystem::Entity,
    });
    let along = e.one_of("relativeDistanceType", TYPES)?.unwrap_or(match along_route {
        Some(true) => DistanceType::Longitudinal,
        _ => DistanceType::Euclidean,
    });
    let freespace =
        e.flag("freespace")?.ok_or_else(|| e.invalid(format!("<{}> has no attribute freespace", e.tag())))?;
    Ok(Measure { freespace, system, along })
}
