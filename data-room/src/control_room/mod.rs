//! The control room: what the page shows and what an operator does.
//!
//! In: the room's feed and store, requests of the page. Out: the live picture, any past minute, curves, messages decoded, the
//! fleet, and alarms with what was done about them.
//!
//! | Route | What |
//! |---|---|
//! | `GET /control-room/session` | who asks, and what may be seen |
//! | `GET /control-room/map` | the site map, GeoJSON |
//! | `GET /control-room/background` | the picture under it, by byte ranges |
//! | `GET /control-room/live` | WebSocket: the whole picture, then what changes ([`scene`]) |
//! | `GET /control-room/scenes?from&until&step` | the same of a past time |
//! | `GET /control-room/series?type&from&until&points` | curves ([`series`]) |
//! | `GET /control-room/fleet` | the stations |
//! | `GET /control-room/messages?kind&before&limit`, `…/messages/{arrival}` | messages, decoded |
//! | `GET /control-room/alarms`, `POST …/alarms/{id}` | alarms ([`alarm`]) |
//!
//! Times are milliseconds of Unix time. Invariants: nobody sees more than their token allows; who sees single road users is
//! in the audit log; everything an operator changes is too. Absent: decisions; pictures of cameras, of which none reach the
//! data room.

pub mod alarm;
mod alarms;
mod background;
mod coverage;
mod live;
mod messages;
mod past;
mod routes;
mod rules;
mod scene;
mod series;
mod socket;

pub use routes::{ControlRoom, ControlRoomError, ControlRoomSettings};
pub use rules::AlarmSettings;
