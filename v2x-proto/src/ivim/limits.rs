//! What the standards exclude though the bytes could carry it.

use crate::cdd::MessageId;
use crate::ivim::*;
use crate::limits::{Checked, LimitError, header, require};

impl Ivim {
    /// Checks the rules of TS 103 301 and ISO/TS 19321 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Ivim)?;
        for (index, container) in self.ivi.optional.iter().flatten().enumerate() {
            check_container(container, &format!("ivi.optional[{index}]"))?;
        }
        Ok(())
    }
}

fn check_container(container: &IviContainer, path: &str) -> Checked {
    match container {
        IviContainer::Location(location) => each(&location.parts, &format!("{path}.glc.parts"), |part, path| {
            let Some(Zone::SetOfLanes(lanes)) = &part.zone else { return Ok(()) };
            let both = lanes.segment_width_right_m.is_none() || lanes.segment_width_left_m.is_some();
            let rule = "segmentWidthRight only with segmentWidthLeft (ISO/TS 19321, SegmentExtended)";
            require(both, &format!("{path}.zone"), rule)
        }),
        IviContainer::General(parts) => each(parts, &format!("{path}.giv"), |part, path| {
            extra_text(part.extra_text.as_deref(), path)?;
            vehicles(part.vehicle_characteristics.as_deref(), path)?;
            signs(&part.road_sign_codes, path)
        }),
        IviContainer::RoadConfiguration(parts) => each(parts, &format!("{path}.rcc"), |part, path| {
            let qualifiers = part.lane_configuration.iter().filter_map(|lane| lane.lane_type_qualifier.as_deref());
            qualifiers.into_iter().try_for_each(|vehicle| vehicles(Some(std::slice::from_ref(vehicle)), path))
        }),
        IviContainer::Text(parts) => each(parts, &format!("{path}.tc"), |part, path| {
            let added = part.added.as_ref().and_then(|added| added.vehicle_characteristics.as_deref());
            vehicles(added, path)
        }),
        IviContainer::AutomatedVehicle(parts) => each(parts, &format!("{path}.avc"), |part, path| {
            let rules = part.automated_vehicle_rules.is_some() || part.platooning_rules.is_some();
            require(rules, &path, "automatedVehicleRules or platooningRules (ISO/TS 19321, AvcPart)")?;
            for rule in part.automated_vehicle_rules.iter().flatten() {
                extra_text(rule.extra_text.as_deref(), path)?;
                signs(rule.road_sign_codes.as_deref().unwrap_or_default(), path)?;
            }
            for rule in part.platooning_rules.iter().flatten() {
                extra_text(rule.extra_text.as_deref(), path)?;
                signs(rule.road_sign_codes.as_deref().unwrap_or_default(), path)?;
            }
            vehicles(part.vehicle_characteristics.as_deref(), path)
        }),
        IviContainer::RoadSurface(parts) => each(parts, &format!("{path}.rsc"), |part, path| {
            let some = part.road_surface_static_characteristics.is_some()
                || part.road_surface_dynamic_characteristics.is_some();
            require(some, &path, "static or dynamic characteristics (ISO/TS 19321, RscPart)")
        }),
        IviContainer::Layout(_) | IviContainer::MapLocation(_) | IviContainer::Unknown(_) => Ok(()),
    }
}

fn each<T>(elements: &[T], path: &str, check: impl Fn(&T, &str) -> Checked) -> Checked {
    elements.iter().enumerate().try_for_each(|(index, element)| check(element, &format!("{path}[{index}]")))
}

fn extra_text(texts: Option<&[Text]>, path: &str) -> Checked {
    let short = |text: &Text| (1..=32).contains(&text.text_content.chars().count());
    let rule = "1 to 32 characters (ISO/TS 19321, ConstraintTextLines)";
    require(texts.unwrap_or_default().iter().all(short), &format!("{path}.extraText"), rule)
}

fn signs(codes: &[RsCode], path: &str) -> Checked {
    each(codes, &format!("{path}.roadSignCodes"), |sign, path| {
        let attributes = match &sign.code {
            RoadSignCode::Iso14823(code) => code.attributes.as_deref(),
            RoadSignCode::AnyCatalogue(code) => code.attributes.as_deref(),
            _ => None,
        };
        let plain = |attribute: &Iso14823Attribute| {
            let Iso14823Attribute::Destination(destination) = attribute else { return true };
            let places = destination.io_list.iter().flat_map(|arrow| arrow.dest_place.iter().flatten());
            places.filter_map(|place| place.dest_rs_code.as_ref()).all(|sign| sign.attributes.is_none())
        };
        let rule = "destRSCode has no attributes (ISO 14823, DestinationPlace)";
        require(attributes.unwrap_or_default().iter().all(plain), &path, rule)
    })
}

fn vehicles(kinds: Option<&[CompleteVehicleCharacteristics]>, path: &str) -> Checked {
    let trailers = kinds.unwrap_or_default().iter().flat_map(|kind| kind.trailer.iter().flatten());
    for trailer in trailers {
        let values = trailer.equal_to.iter().flatten().chain(trailer.not_equal_to.iter().flatten());
        let mut engines = values.filter(|value| {
            matches!(
                value,
                VehicleCharacteristicsFixValues::EuroAndCo2Value(_)
                    | VehicleCharacteristicsFixValues::EngineCharacteristics(_)
            )
        });
        let rule = "a trailer has no emission class and no engine (ISO/TS 19321, TrailerCharacteristicsFixValuesList)";
        require(engines.next().is_none(), &format!("{path}.vehicleCharacteristics"), rule)?;
        let mut emissions = trailer.ranges.iter().flatten().filter(|range| {
            matches!(
                range.limits,
                VehicleLimits::ExhaustEmissionValues(_)
                    | VehicleLimits::DieselEmissionValues(_)
                    | VehicleLimits::SoundLevel(_)
            )
        });
        let rule = "a trailer has no emissions and no sound (ISO/TS 19321, TrailerCharacteristicsRangesList)";
        require(emissions.next().is_none(), &format!("{path}.vehicleCharacteristics"), rule)?;
    }
    Ok(())
}
