//! From an IEEE 802.11 capture to the Ethernet frame that the network layer of the sender handed over.
//!
//! In: records of link type 105 (802.11) and 127 (radiotap). Out: an Ethernet frame, and how far the record's octets are
//! ahead of it. Only unencrypted data frames with LLC/SNAP are of interest; everything else is `None`.

/// LLC/SNAP header of an encapsulated Ethernet frame, before the ethertype.
const LLC_SNAP: [u8; 6] = [0xAA, 0xAA, 0x03, 0, 0, 0];
/// Octets of a radiotap presence word, of the fixed header, of the frame check sequence.
const RADIOTAP_HEADER: usize = 8;
const FCS: usize = 4;

/// The 802.11 frame of a radiotap record without its frame check sequence, and where it begins.
pub(super) fn without_radiotap(record: &[u8]) -> Option<(&[u8], usize)> {
    let length = usize::from(u16::from_le_bytes([*record.get(2)?, *record.get(3)?]));
    if record.first() != Some(&0) || length < RADIOTAP_HEADER || length > record.len() {
        return None;
    }
    let header = &record[..length];
    // Presence words go on while their last bit is set.
    let word = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let first = word(4)?;
    let (mut at, mut last) = (RADIOTAP_HEADER, first);
    while last & 1 << 31 != 0 {
        last = word(at)?;
        at += 4;
    }
    if first & 1 != 0 {
        // The timestamp, aligned to eight octets.
        at = at.next_multiple_of(8) + 8;
    }
    let has_fcs = first & 2 != 0 && header.get(at)? & 0x10 != 0;
    let end = record.len() - if has_fcs { FCS } else { 0 };
    Some((record.get(length..end)?, length))
}

/// The Ethernet frame in an 802.11 data frame, and the octets by which the 802.11 headers are longer than Ethernet's.
pub(super) fn to_ethernet(frame: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (control, flags) = (*frame.first()?, *frame.get(1)?);
    // Version 0, type data, not one of the subtypes without data; not protected.
    if control & 0x0F != 0x08 || control & 0x40 != 0 || flags & 0x40 != 0 {
        return None;
    }
    let (to_ds, from_ds) = (flags & 1 != 0, flags & 2 != 0);
    let mut header = 24;
    if to_ds && from_ds {
        header += 6;
    }
    if control & 0x80 != 0 {
        // Quality of service, and with it high throughput when the order bit is set.
        header += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    let payload = frame.get(header..)?.strip_prefix(&LLC_SNAP)?;
    let address = |at: usize| frame.get(at..at + 6);
    // Outside a basic service set (OCB, ad hoc) the first two addresses are destination and source.
    let (destination, source) = match (to_ds, from_ds) {
        (false, false) => (address(4)?, address(10)?),
        (true, false) => (address(16)?, address(10)?),
        (false, true) => (address(4)?, address(16)?),
        (true, true) => (address(16)?, address(24)?),
    };
    Some(([destination, source, payload].concat(), header + LLC_SNAP.len() - 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESTINATION: [u8; 6] = [0xFF; 6];
    const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 9];

    /// A QoS data frame as ITS-G5 sends it (IEEE 802.11 clause 9.2.4, OCB: wildcard BSSID).
    fn ocb() -> Vec<u8> {
        let mut frame = vec![0x88, 0x00, 0, 0];
        frame.extend([DESTINATION, SOURCE, [0xFF; 6]].concat());
        frame.extend([0x10, 0x00, 0x23, 0x00]);
        frame.extend(LLC_SNAP);
        frame.extend([0x89, 0x47, 1, 2, 3]);
        frame
    }

    #[test]
    fn an_ocb_frame_becomes_the_ethernet_frame_in_it() {
        let (ethernet, ahead) = to_ethernet(&ocb()).unwrap();
        assert_eq!(ethernet, [&DESTINATION[..], &SOURCE, &[0x89, 0x47, 1, 2, 3]].concat());
        assert_eq!(ocb()[ahead + 14..], [1, 2, 3]);
    }

    #[test]
    fn what_is_no_plain_data_is_left_out() {
        for (at, octet) in [(0, 0x80), (0, 0xC8), (1, 0x40), (26, 0x42)] {
            let mut frame = ocb();
            frame[at] = octet;
            assert!(to_ethernet(&frame).is_none(), "octet {at} {octet:#x}");
        }
        for length in 0..32 {
            assert!(to_ethernet(&ocb()[..length]).is_none());
        }
    }

    #[test]
    fn radiotap_says_whether_a_check_sequence_ends_the_frame() {
        // Presence: timestamp and flags; eight octets of header, then the timestamp at offset 8.
        for (flags, end) in [(0x10, 4), (0x00, 0)] {
            let mut record = vec![0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, flags];
            record.extend([9; 30]);
            let (frame, at) = without_radiotap(&record).unwrap();
            assert_eq!((frame.len(), at), (30 - end, 17));
        }
        // A second presence word, and no flags.
        let mut record = vec![0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0];
        record.extend([9; 10]);
        assert_eq!(without_radiotap(&record).unwrap().0.len(), 10);
        for length in 0..12 {
            assert!(without_radiotap(&record[..length]).is_none(), "{length}");
        }
    }
}
