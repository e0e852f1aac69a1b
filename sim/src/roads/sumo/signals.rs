//! SUMO's signal programmes (`tlLogic`).

use super::known;
use crate::roads::error::RoadsError;
use crate::roads::xml::{self, Element};
use crate::roads::{Roads, SignalControl, SignalController, SignalPhase, SignalState};
use std::collections::BTreeMap;

impl Roads {
    /// Replaces the programmes of signal controllers by those of a SUMO additional file, as SUMO does with a programme that
    /// is loaded later. What else the file holds (stops, detectors, vehicle types) is for its own readers. `name` is how
    /// errors call the file. Says how many programmes were read.
    pub fn read_signal_programmes(&mut self, text: &str, name: &str) -> Result<usize, RoadsError> {
        let document = xml::parse(text, name)?;
        let places: BTreeMap<String, usize> =
            self.signals.iter().enumerate().map(|(place, controller)| (controller.name.clone(), place)).collect();
        let mut read = 0;
        for element in Element::root(&document, name).all("tlLogic") {
            element.check_known(known::PROGRAMME)?;
            let controller = programme(element)?;
            let place = places.get(&controller.name).copied();
            let place = place.ok_or_else(|| element.fail("the network has no signal controller of this name"))?;
            check_states(element, &controller, links_of(self, place))?;
            self.signals[place] = controller;
            read += 1;
        }
        Ok(read)
    }
}

/// How many links the programme of a controller must at least serve.
fn links_of(roads: &Roads, place: usize) -> usize {
    let links = roads.links.iter().filter_map(|link| link.signal);
    links
        .filter(|(controller, _)| controller.index() == place)
        .map(|(_, link)| usize::from(link) + 1)
        .max()
        .unwrap_or(0)
}

/// Refuses phases that differ in length or that leave a link without a state.
pub(super) fn check_states(element: Element, controller: &SignalController, links: usize) -> Result<(), RoadsError> {
    let Some(first) = controller.phases.first() else { return Ok(()) };
    match controller.phases.iter().position(|phase| phase.states.len() != first.states.len()) {
        Some(place) => Err(element.fail(format!("phase {place} has another number of states than phase 0"))),
        None if first.states.len() < links => {
            Err(element.fail(format!("{} states for {links} links", first.states.len())))
        }
        None => Ok(()),
    }
}

/// Reads a `tlLogic`.
pub(super) fn programme(element: Element) -> Result<SignalController, RoadsError> {
    let (control, programmed) = match element.text("type").unwrap_or("static") {
        "static" => (SignalControl::Fixed, true),
        "actuated" | "delay_based" => (SignalControl::Actuated, true),
        // Signals of railways have no programme: off here, trains go by right of way.
        "rail_signal" | "rail_crossing" | "off" => (SignalControl::Fixed, false),
        other => return Err(element.fail(format!("controllers of type `{other}` are not supported"))),
    };
    let mut phases = Vec::new();
    for (place, phase) in element.all("phase").enumerate() {
        let next: Option<usize> = phase.optional("next")?;
        if next.is_some_and(|next| next != place + 1) {
            return Err(phase.fail("phases in another order than the file's (`next`) are not supported"));
        }
        let duration_s = phase.number("duration")?;
        if duration_s < 0.0 {
            return Err(phase.fail("the duration is negative"));
        }
        let min_s = phase.number_or_none("minDur")?.unwrap_or(duration_s);
        let max_s = phase.number_or_none("maxDur")?.unwrap_or(duration_s.max(min_s));
        let states = phase
            .required("state")?
            .chars()
            .map(|letter| state(letter).ok_or_else(|| phase.fail(format!("`{letter}` is no state of a signal"))));
        phases.push(SignalPhase { duration_s, min_s, max_s, states: states.collect::<Result<_, _>>()? });
    }
    if !programmed {
        phases.clear();
    } else if phases.iter().map(|phase| phase.duration_s).sum::<f64>() <= 0.0 {
        return Err(element.fail("the programme has no phase that lasts"));
    }
    Ok(SignalController {
        name: element.required("id")?.to_owned(),
        control,
        offset_s: element.number_or_none("offset")?.unwrap_or(0.0),
        phases,
    })
}

/// A letter of SUMO's `state`. The stop before a green arrow (`s`) has no counterpart here: it gives way as `g` does.
fn state(letter: char) -> Option<SignalState> {
    Some(match letter {
        'r' | 'R' => SignalState::Red,
        'u' => SignalState::RedYellow,
        'y' | 'Y' => SignalState::Yellow,
        'G' => SignalState::GreenMajor,
        'g' | 's' => SignalState::GreenMinor,
        'o' => SignalState::OffBlinking,
        'O' => SignalState::Off,
        _ => return None,
    })
}
