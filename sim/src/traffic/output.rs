//! SUMO's outputs: floating car data, trips, induction loops, a summary, and edges over time.
//!
//! In: [`Traffic`] and what it kept. Out: XML in SUMO's schemas (`fcd_file.xsd`, `tripinfo_file.xsd`, `det_e1_file.xsd`,
//! `summary_file.xsd`, `meandata_file.xsd`); numbers have two decimals. Vehicles stand in order of their numbers.

use super::demand::DetectorSpec;
use super::detector::DetectorRecord;
use super::driver::HALTING_MPS;
use super::step::Traffic;
use super::trip::Trip;
use std::io::{self, Write};

const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

/// Text for an attribute's value.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn head(out: &mut impl Write, root: &str, schema: &str) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    writeln!(out, "<{root} {XSI} xsi:noNamespaceSchemaLocation=\"http://sumo.dlr.de/xsd/{schema}\">")
}

/// Begins floating car data.
pub fn begin_fcd(out: &mut impl Write) -> io::Result<()> {
    head(out, "fcd-export", "fcd_file.xsd")
}

/// Writes one time step: for each vehicle the middle of its front bumper (metres), the angle (degrees clockwise from north),
/// speed (metres a second), position on its lane (metres) and slope (degrees).
pub fn write_fcd(out: &mut impl Write, traffic: &Traffic) -> io::Result<()> {
    writeln!(out, "    <timestep time=\"{:.2}\">", traffic.time)?;
    let mut order: Vec<u32> = (0..traffic.bodies.len() as u32).collect();
    order.retain(|vehicle| traffic.bodies[*vehicle as usize].alive && !traffic.bodies[*vehicle as usize].away);
    order.sort_by_key(|vehicle| traffic.bodies[*vehicle as usize].serial);
    for vehicle in order {
        let (body, info) = (&traffic.bodies[vehicle as usize], &traffic.infos[vehicle as usize]);
        let Some((front, yaw, pitch)) = traffic.front_of(vehicle) else { continue };
        let angle = (90.0 - yaw.to_degrees()).rem_euclid(360.0);
        writeln!(
            out,
            "        <vehicle id=\"{}\" x=\"{:.2}\" y=\"{:.2}\" angle=\"{:.2}\" type=\"{}\" speed=\"{:.2}\" pos=\"{:.2}\" \
             lane=\"{}\" slope=\"{:.2}\"/>",
            quoted(&info.name),
            front.x,
            front.y,
            angle,
            quoted(&info.type_name),
            body.speed,
            body.pos,
            quoted(&traffic.roads.lanes[body.lane as usize].name),
            pitch.to_degrees(),
        )?;
    }
    writeln!(out, "    </timestep>")
}

/// Ends floating car data.
pub fn end_fcd(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "</fcd-export>")
}

/// Begins trips.
pub fn begin_trips(out: &mut impl Write) -> io::Result<()> {
    head(out, "tripinfos", "tripinfo_file.xsd")
}

/// Writes trips.
pub fn write_trips(out: &mut impl Write, trips: &[Trip]) -> io::Result<()> {
    for trip in trips {
        writeln!(
            out,
            "    <tripinfo id=\"{}\" depart=\"{:.2}\" departLane=\"{}\" departPos=\"{:.2}\" departSpeed=\"{:.2}\" \
             departDelay=\"{:.2}\" arrival=\"{:.2}\" arrivalLane=\"{}\" arrivalPos=\"{:.2}\" arrivalSpeed=\"{:.2}\" \
             duration=\"{:.2}\" routeLength=\"{:.2}\" waitingTime=\"{:.2}\" waitingCount=\"{}\" stopTime=\"{:.2}\" \
             timeLoss=\"{:.2}\" rerouteNo=\"0\" devices=\"\" vType=\"{}\" speedFactor=\"{:.2}\" vaporized=\"{}\"/>",
            quoted(&trip.name),
            trip.depart_s,
            quoted(&trip.depart.0),
            trip.depart.1,
            trip.depart.2,
            trip.depart_delay_s,
            trip.arrival_s,
            quoted(&trip.arrival.0),
            trip.arrival.1,
            trip.arrival.2,
            trip.arrival_s - trip.depart_s,
            trip.route_length_m,
            trip.waiting_s,
            trip.waiting_count,
            trip.stop_s,
            trip.time_loss_s,
            quoted(&trip.type_name),
            trip.speed_factor,
            if trip.arrived { "" } else { "removed" },
        )?;
    }
    Ok(())
}

/// Ends trips.
pub fn end_trips(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "</tripinfos>")
}

/// Writes what induction loops counted.
pub fn write_detectors(out: &mut impl Write, specs: &[DetectorSpec], records: &[DetectorRecord]) -> io::Result<()> {
    head(out, "detector", "det_e1_file.xsd")?;
    for record in records {
        let length = record.end_s - record.begin_s;
        writeln!(
            out,
            "    <interval begin=\"{:.2}\" end=\"{:.2}\" id=\"{}\" nVehContrib=\"{}\" flow=\"{:.2}\" occupancy=\"{:.2}\" \
             speed=\"{:.2}\" harmonicMeanSpeed=\"{:.2}\" length=\"{:.2}\" nVehEntered=\"{}\"/>",
            record.begin_s,
            record.end_s,
            quoted(&specs[record.detector].name),
            record.passed,
            f64::from(record.passed) * 3600.0 / length.max(1e-9),
            record.occupancy * 100.0,
            record.mean_speed_mps.unwrap_or(-1.0),
            record.harmonic_speed_mps.unwrap_or(-1.0),
            record.mean_length_m.unwrap_or(-1.0),
            record.entered,
        )?;
    }
    writeln!(out, "</detector>")
}

/// Begins a summary.
pub fn begin_summary(out: &mut impl Write) -> io::Result<()> {
    head(out, "summary", "summary_file.xsd")
}

/// Writes one step of a summary.
pub fn write_summary(out: &mut impl Write, traffic: &Traffic) -> io::Result<()> {
    let on_road = || traffic.bodies.iter().filter(|body| body.alive && !body.away);
    let running = on_road().count();
    let halting = on_road().filter(|body| body.speed < HALTING_MPS && !body.stopped).count();
    let stopped = on_road().filter(|body| body.stopped).count();
    let speed: f64 = on_road().map(|body| body.speed).sum();
    let counters = traffic.counters();
    writeln!(
        out,
        "    <step time=\"{:.2}\" inserted=\"{}\" running=\"{running}\" waiting=\"{}\" ended=\"{}\" arrived=\"{}\" \
         teleports=\"{}\" halting=\"{halting}\" stopped=\"{stopped}\" meanSpeed=\"{:.2}\"/>",
        traffic.time,
        counters.departed,
        traffic.waiting(),
        counters.arrived + counters.removed,
        counters.arrived,
        counters.teleports,
        if running > 0 { speed / running as f64 } else { -1.0 },
    )
}

/// Ends a summary.
pub fn end_summary(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "</summary>")
}

/// Vehicles and halting vehicles of each edge, added up over an interval.
#[derive(Debug)]
pub struct EdgeData {
    period_s: f64,
    begin_s: f64,
    /// Vehicle-seconds, and those of halting vehicles, by edge.
    sums: Vec<[f64; 2]>,
}

impl EdgeData {
    /// Nothing yet, in intervals of this length, seconds.
    pub fn new(traffic: &Traffic, period_s: f64) -> Self {
        Self { period_s, begin_s: traffic.time, sums: vec![[0.0; 2]; traffic.net.edges.len()] }
    }

    /// Begins the output.
    pub fn begin(out: &mut impl Write) -> io::Result<()> {
        head(out, "meandata", "meandata_file.xsd")
    }

    /// Adds a step; writes the interval if it is over.
    pub fn add(&mut self, out: &mut impl Write, traffic: &Traffic) -> io::Result<()> {
        if traffic.time >= self.begin_s + self.period_s - 1e-9 {
            self.end(out, traffic, traffic.time)?;
        }
        for body in traffic.bodies.iter().filter(|body| body.drives()) {
            let sums = &mut self.sums[traffic.net.lane(body.lane).edge as usize];
            sums[0] += traffic.dt;
            if body.speed < HALTING_MPS && !body.stopped {
                sums[1] += traffic.dt;
            }
        }
        Ok(())
    }

    /// Writes the running interval, which ends at `end_s`.
    pub fn end(&mut self, out: &mut impl Write, traffic: &Traffic, end_s: f64) -> io::Result<()> {
        writeln!(out, "    <interval begin=\"{:.2}\" end=\"{end_s:.2}\" id=\"edges\">", self.begin_s)?;
        for (edge, [all, halting]) in self.sums.iter_mut().enumerate().filter(|(_, sums)| sums[0] > 0.0) {
            let name = quoted(&traffic.roads.edges[edge].name);
            writeln!(out, "        <edge id=\"{name}\" sampledSeconds=\"{all:.2}\" waitingTime=\"{halting:.2}\"/>")?;
            (*all, *halting) = (0.0, 0.0);
        }
        self.begin_s = end_s;
        writeln!(out, "    </interval>")
    }

    /// Ends the output.
    pub fn finish(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "</meandata>")
    }
}
