//! What raises an alarm.
//!
//! In: the entities that hold and the ingest's report. Out: findings that hold now, so that whoever compares two looks knows
//! what began and what ended ([`Watch::look`]). Pure.

pub(super) use super::alarm::Rule;
use super::alarm::{Finding, Severity};
use super::alarms::SITE;
use crate::entity::{Entity, EntityKind, Geometry};
use crate::ingest::{Report, SourceReport};
use crate::record::{Source, Tenant};
use masa_links::NodeProblem;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// When alarms are raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AlarmSettings {
    /// A station that has said nothing for so long is silent, seconds.
    pub silent_s: u32,
    /// One that has said nothing for so long is no longer missed, seconds: it was taken away.
    pub forgotten_s: u32,
    /// Warnings less severe than this raise no alarm.
    pub least_severity: Severity,
    /// Hourly limit of nitrogen dioxide, µg/m³ (Directive (EU) 2024/2881, annex I, table 2).
    pub no2_limit_ug_m3: f64,
    /// Limit of particles up to 10 µm, µg/m³ (the same, daily).
    pub pm10_limit_ug_m3: f64,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            silent_s: 30,
            forgotten_s: 86_400,
            least_severity: Severity::Medium,
            no2_limit_ug_m3: 200.0,
            pm10_limit_ug_m3: 45.0,
        }
    }
}

/// Everything that is the matter, by cause.
pub(super) fn look<'a>(
    settings: &AlarmSettings,
    tenant: &Tenant,
    entities: impl Iterator<Item = &'a Entity>,
    report: &Report,
    now: Timestamp,
) -> BTreeMap<(Rule, String), Finding> {
    let of_entities = entities.filter(|entity| entity.holds_at(now)).filter_map(|entity| of_entity(settings, entity));
    let silent = report.sources.iter().filter(|source| source.tenant == *tenant && source.source.site != SITE);
    let silent = silent.filter_map(|source| {
        let silence_s = now.seconds_since(source.heard_at);
        let missed = f64::from(settings.silent_s)..f64::from(settings.forgotten_s);
        missed.contains(&silence_s).then(|| Finding {
            rule: Rule::StationSilent,
            subject: format!("{}/{}", source.source.site, source.source.station),
            severity: Severity::High,
            title: format!("Station {} is silent", source.source.station),
            position: None,
            site: source.source.site.clone(),
        })
    });
    let ours = report.sources.iter().filter(|source| source.tenant == *tenant);
    let problems = ours.flat_map(|source| source.problems.iter().map(move |problem| of_problem(source, problem)));
    let store = report.trouble.iter().map(|words| Finding {
        rule: Rule::Store,
        subject: "store".to_owned(),
        severity: Severity::Critical,
        title: format!("Records are not stored: {words}"),
        position: None,
        site: String::new(),
    });
    of_entities
        .chain(silent)
        .chain(problems)
        .chain(store)
        .map(|finding| ((finding.rule, finding.subject.clone()), finding))
        .collect()
}

fn of_problem(source: &SourceReport, problem: &NodeProblem) -> Finding {
    let Source { site, station } = &source.source;
    let NodeProblem { problem: what, subject, detail } = problem;
    Finding {
        rule: Rule::StationProblem,
        subject: format!("{site}/{station}/{what}/{subject}"),
        severity: Severity::Medium,
        title: format!("Station {station}, {subject}: {} ({detail})", what.replace('-', " ")),
        position: None,
        site: site.clone(),
    }
}

fn of_entity(settings: &AlarmSettings, entity: &Entity) -> Option<Finding> {
    let value = |name: &str| entity.attributes.get(name).map(|attribute| attribute.value());
    let text = |name: &str| value(name).and_then(|value| value.as_str().map(str::to_owned));
    let number = |name: &str| value(name).and_then(|value| value.as_f64());
    let (rule, severity, title) = match entity.kind {
        EntityKind::Alert => {
            let severity = match text("severity")?.as_str() {
                "critical" => Severity::Critical,
                "high" => Severity::High,
                "medium" => Severity::Medium,
                "low" => Severity::Low,
                _ => return None,
            };
            let title = text("description").or_else(|| text("subCategory"))?;
            (Rule::Warning, (severity >= settings.least_severity).then_some(severity)?, title)
        }
        EntityKind::TrafficSignal if text("operation").as_deref() == Some("failure") => {
            let title = format!("Signals of intersection {} have failed", text("intersection")?);
            (Rule::SignalFailure, Severity::High, title)
        }
        EntityKind::AirQualityObserved => {
            let limits =
                [("no2", "Nitrogen dioxide", settings.no2_limit_ug_m3), ("pm10", "PM10", settings.pm10_limit_ug_m3)];
            let above = |&(name, words, limit): &(&str, &str, f64)| {
                let value = number(name).filter(|value| *value > limit)?;
                Some(format!("{words} at {value:.0} µg/m³, above {limit:.0}"))
            };
            (Rule::AirLimit, Severity::Medium, limits.iter().find_map(above)?)
        }
        _ => return None,
    };
    let position = match &entity.geometry {
        Geometry::Point(p) => Some(*p),
        Geometry::LineString(line) | Geometry::Polygon(line) => line.first().copied(),
    };
    // All signals of an intersection fail together.
    let subject = match rule {
        Rule::SignalFailure => format!("{}/{}", entity.origin.site, text("intersection")?),
        _ => entity.id.clone(),
    };
    Some(Finding { rule, subject, severity, title, position, site: entity.origin.site.clone() })
}

/// What was the matter at the last look.
#[derive(Debug, Default)]
pub(super) struct Watch(BTreeSet<(Rule, String)>);

impl Watch {
    /// These were the matter before.
    pub(super) fn of(causes: impl Iterator<Item = (Rule, String)>) -> Self {
        Self(causes.collect())
    }

    /// What has begun since the last look, and what has ended. A cause whose change was not kept is offered again by
    /// [`Watch::retry`].
    pub(super) fn compare(&mut self, found: BTreeMap<(Rule, String), Finding>) -> (Vec<Finding>, Vec<(Rule, String)>) {
        let ended = self.0.iter().filter(|cause| !found.contains_key(*cause)).cloned().collect();
        let known = std::mem::replace(&mut self.0, found.keys().cloned().collect());
        (found.into_iter().filter(|(cause, _)| !known.contains(cause)).map(|(_, finding)| finding).collect(), ended)
    }

    /// Look at this cause again: it could not be kept that it `began` or ended.
    pub(super) fn retry(&mut self, cause: (Rule, String), began: bool) {
        if began {
            self.0.remove(&cause);
        } else {
            self.0.insert(cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{Origin, Position};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_356_200_000);

    fn entity(kind: EntityKind, name: &str) -> Entity {
        let origin = Origin { site: "modena".into(), station: 7, message: String::new(), received_at: NOW };
        let place = Geometry::Point(Position { lon_deg: 10.93, lat_deg: 44.65 });
        Entity::new(origin.id(kind, name), kind, place, NOW, &origin)
    }

    fn titles(entities: &[Entity], report: &Report) -> Vec<String> {
        let found = look(&AlarmSettings::default(), &Tenant::default(), entities.iter(), report, NOW);
        found.into_values().map(|finding| finding.title).collect()
    }

    #[test]
    fn each_rule_finds_what_is_the_matter_and_nothing_else() {
        let warning = |severity: &str, words: &str| {
            entity(EntityKind::Alert, words).with("severity", severity).with("description", words)
        };
        let signal = |group: &str, operation: &str| {
            entity(EntityKind::TrafficSignal, group).with("operation", operation).with("intersection", "101")
        };
        let air = |no2: f64| entity(EntityKind::AirQualityObserved, "mast").with("no2", no2);
        let nothing = Report::default();
        assert_eq!(titles(&[warning("high", "Accident"), warning("low", "Road works")], &nothing), ["Accident"]);
        let failed = [signal("1", "failure"), signal("2", "failure"), signal("3", "fixed-time")];
        assert_eq!(titles(&failed, &nothing), ["Signals of intersection 101 have failed"], "they fail together");
        assert_eq!(titles(&[air(199.0)], &nothing), Vec::<String>::new());
        assert_eq!(titles(&[air(230.0)], &nothing), ["Nitrogen dioxide at 230 µg/m³, above 200"]);
        let over = warning("high", "Accident").until(NOW);
        assert_eq!(titles(&[over], &nothing), Vec::<String>::new(), "what is over is not the matter");
    }

    /// A station that was heard so long ago.
    fn source(station: u32, silent_s: i64) -> SourceReport {
        SourceReport {
            tenant: Tenant::default(),
            source: Source { site: "modena".into(), station },
            stored: 1,
            duplicates: 0,
            ahead: 0,
            least_age_ms: 20,
            heard_at: NOW.plus_ms(-silent_s * 1_000),
            kinds: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_station_is_silent_for_a_while_and_then_gone() {
        let sources = vec![source(1, 5), source(2, 45), source(3, 90_000)];
        let report = Report { sources, trouble: Some("disk full".into()), ..Report::default() };
        assert_eq!(titles(&[], &report), ["Station 2 is silent", "Records are not stored: disk full"]);
    }

    #[test]
    fn what_a_station_says_is_wrong_with_it_is_the_matter_until_it_says_otherwise() {
        let dark =
            NodeProblem { problem: "camera-dark".into(), subject: "north".into(), detail: "no light for 5 s".into() };
        let mut report = Report { sources: vec![source(7, 1)], ..Report::default() };
        assert_eq!(titles(&[], &report), Vec::<String>::new());
        report.sources[0].problems = vec![dark];
        assert_eq!(titles(&[], &report), ["Station 7, north: camera dark (no light for 5 s)"]);
    }

    #[test]
    fn what_could_not_be_kept_is_offered_again() {
        let report = Report { trouble: Some("disk full".into()), ..Report::default() };
        let found = || look(&AlarmSettings::default(), &Tenant::default(), [].iter(), &report, NOW);
        let cause = (Rule::Store, "store".to_owned());
        let mut watch = Watch::default();
        assert_eq!(watch.compare(found()).0.len(), 1);
        assert_eq!(watch.compare(found()).0.len(), 0, "it is known");
        watch.retry(cause.clone(), true);
        assert_eq!(watch.compare(found()).0.len(), 1);
        assert_eq!(watch.compare(BTreeMap::new()).1, std::slice::from_ref(&cause));
        watch.retry(cause.clone(), false);
        assert_eq!(watch.compare(BTreeMap::new()).1, [cause]);
    }
}
