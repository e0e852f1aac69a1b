//! `masa v2x`: decode and re-encode messages, and dissect and make captures, on the command line.

mod dissect;
mod envelope;
mod frames;

use crate::replay::hex;
use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use masa_v2x_proto::Message;
use masa_v2x_proto::jer::Release;
use std::io::{self, BufRead, Write};

/// Decode and re-encode V2X messages given as hex; dissect and make captures of frames.
#[derive(Debug, Args)]
pub(crate) struct V2x {
    #[command(subcommand)]
    command: V2xCommand,
}

#[derive(Debug, Subcommand)]
enum V2xCommand {
    /// Read UPER as hex, one message a line; print its values as one JSON line each.
    Decode(Lines),
    /// Read UPER as hex, one message a line; decode it and print it encoded again.
    Recode(Lines),
    Dissect(dissect::Dissect),
    Frames(frames::Frames),
}

#[derive(Debug, Args)]
struct Lines {
    /// What the lines hold; without it the message id in the header decides.
    #[arg(long = "type", value_enum)]
    kind: Option<Kind>,
}

/// Message types by release of the ETSI standards, or by version of TS 103 301: `is13` is v2.1.1, `is22` v2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    R1Cam,
    R2Cam,
    R1Denm,
    R2Denm,
    R2Cpm,
    #[value(name = "is13_IVIM")]
    Is13Ivim,
    #[value(name = "is22_IVIM")]
    Is22Ivim,
    R2Poim,
    Mcm,
    R2Vam,
    #[value(name = "is13_SPATEM")]
    Is13Spatem,
    #[value(name = "is22_SPATEM")]
    Is22Spatem,
    #[value(name = "is13_MAPEM")]
    Is13Mapem,
    #[value(name = "is22_MAPEM")]
    Is22Mapem,
    #[value(name = "is13_SREM")]
    Is13Srem,
    #[value(name = "is22_SREM")]
    Is22Srem,
    #[value(name = "is13_SSEM")]
    Is13Ssem,
    #[value(name = "is22_SSEM")]
    Is22Ssem,
    #[value(name = "is13_RTCMEM")]
    Is13Rtcmem,
    #[value(name = "is22_RTCMEM")]
    Is22Rtcmem,
}

impl Kind {
    const fn message_id(self) -> u8 {
        match self {
            Self::R1Denm | Self::R2Denm => 1,
            Self::R1Cam | Self::R2Cam => 2,
            Self::R2Cpm => 14,
            Self::Is13Ivim | Self::Is22Ivim => 6,
            Self::Mcm => 20,
            Self::R2Poim => 3,
            Self::R2Vam => 16,
            Self::Is13Spatem | Self::Is22Spatem => 4,
            Self::Is13Mapem | Self::Is22Mapem => 5,
            Self::Is13Srem | Self::Is22Srem => 9,
            Self::Is13Ssem | Self::Is22Ssem => 10,
            Self::Is13Rtcmem | Self::Is22Rtcmem => 13,
        }
    }

    const fn release(self) -> Release {
        match self {
            Self::R1Cam | Self::R1Denm => Release::R1,
            Self::Is13Ivim => Release::R1,
            Self::Is22Ivim | Self::R2Poim | Self::Mcm => Release::R2,
            Self::R2Cam | Self::R2Denm | Self::R2Cpm | Self::R2Vam => Release::R2,
            Self::Is13Spatem | Self::Is13Mapem | Self::Is13Srem | Self::Is13Ssem | Self::Is13Rtcmem => Release::R1,
            Self::Is22Spatem | Self::Is22Mapem | Self::Is22Srem | Self::Is22Ssem | Self::Is22Rtcmem => Release::R2,
        }
    }
}

impl V2x {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (lines, recode) = match self.command {
            V2xCommand::Decode(lines) => (lines, false),
            V2xCommand::Recode(lines) => (lines, true),
            V2xCommand::Dissect(dissect) => return dissect.run(),
            V2xCommand::Frames(frames) => return frames.run(),
        };
        let mut out = io::stdout().lock();
        let mut wrong = 0_u64;
        for line in io::stdin().lock().lines() {
            let line = line.context("reading the lines")?;
            let text = line.trim();
            if text.is_empty() {
                continue;
            }
            match answer(text, lines.kind, recode) {
                Ok(answer) => writeln!(out, "{answer}")?,
                Err(error) => {
                    wrong += 1;
                    writeln!(out, "error: {error:#}")?;
                }
            }
        }
        if wrong > 0 {
            bail!("{wrong} lines could not be decoded");
        }
        Ok(())
    }
}

fn answer(text: &str, kind: Option<Kind>, recode: bool) -> anyhow::Result<String> {
    let bytes = from_hex(text)?;
    if let (Some(kind), Some(&id)) = (kind, bytes.get(1))
        && id != kind.message_id()
    {
        bail!("message id {id} at bit 8 is not that of {kind:?} ({})", kind.message_id());
    }
    let message = Message::decode(&bytes)?;
    Ok(if recode {
        hex(&message.to_uper()?)
    } else {
        message.to_jer(kind.map_or(Release::R2, Kind::release)).to_string()
    })
}

pub(crate) fn from_hex(text: &str) -> anyhow::Result<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        bail!("{} characters are not pairs of hex digits", text.len());
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).with_context(|| format!("at character {at}")))
        .collect()
}
