//! What a certificate permits (IEEE 1609.2 clauses 6.4.28 to 6.4.35).
//!
//! In: encodings, and the permissions of a subject and its issuer. Out: whether the one lies within the other (clause
//! 5.1.2.4). What the bits of an SSP mean is in [`super::ssp`].

use super::oer::{
    Oer, OerProblem, Read, Reader, preamble_of, write_alternative, write_list, write_octets, write_open, write_signed,
    write_unsigned,
};

/// Service specific permissions (`ServiceSpecificPermissions`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ssp {
    /// Bytes that only the application understands.
    Opaque(Vec<u8>),
    /// Bits, at most 31 bytes; by ETSI the first byte is the version.
    Bitmap(Vec<u8>),
}

impl Oer<'_> for Ssp {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Opaque(reader.field("opaque")?)),
            1 => reader.open(|reader| Ok(Self::Bitmap(bytes_within(reader, "bitmapSsp", 0, 31)?))),
            other => reader.unknown("kind of SSP", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Opaque(bytes) => {
                write_alternative(out, 0);
                bytes.write(out);
            }
            Self::Bitmap(bytes) => {
                write_alternative(out, 1);
                write_open(out, |out| bytes.write(out));
            }
        }
    }
}

/// An octet string of `least` to `most` bytes.
fn bytes_within(reader: &mut Reader<'_>, name: &'static str, least: usize, most: usize) -> Read<Vec<u8>> {
    reader.named(name, |reader| {
        let bytes = reader.octets()?;
        reader.require((least..=most).contains(&bytes.len()), OerProblem::OutOfRange("length of an octet string"))?;
        Ok(bytes.to_vec())
    })
}

/// Permission to use an application (`PsidSsp`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPermission {
    /// Application (ITS-AID, TS 102 965).
    pub its_aid: u32,
    /// What of it.
    pub ssp: Option<Ssp>,
}

impl Oer<'_> for AppPermission {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(1)?;
        let its_aid = reader.named("psid", Reader::unsigned)?;
        Ok(Self { its_aid, ssp: reader.optional(present & 0x80 != 0, "ssp")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(preamble_of([self.ssp.is_some()]));
        write_unsigned(out, self.its_aid);
        self.ssp.iter().for_each(|ssp| ssp.write(out));
    }
}

/// Which service specific permissions an issuer may give (`SspRange`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SspRange {
    /// One of these.
    Opaque(Vec<Vec<u8>>),
    /// Any.
    All,
    /// Those that equal `value` where `mask` has a bit (1 to 32 bytes each).
    Bitmap {
        /// Values of the fixed bits.
        value: Vec<u8>,
        /// Which bits are fixed.
        mask: Vec<u8>,
    },
}

impl Oer<'_> for SspRange {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Opaque(reader.list("opaque", 0)?)),
            1 => Ok(Self::All),
            2 => reader.open(|reader| {
                let value = bytes_within(reader, "bitmapSspRange.sspValue", 1, 32)?;
                Ok(Self::Bitmap { value, mask: bytes_within(reader, "bitmapSspRange.sspBitmask", 1, 32)? })
            }),
            other => reader.unknown("kind of SSP range", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Opaque(ssps) => {
                write_alternative(out, 0);
                write_list(out, ssps);
            }
            Self::All => write_alternative(out, 1),
            Self::Bitmap { value, mask } => {
                write_alternative(out, 2);
                write_open(out, |out| {
                    write_octets(out, value);
                    write_octets(out, mask);
                });
            }
        }
    }
}

/// An application that an issuer may permit (`PsidSspRange`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuePermission {
    /// Application.
    pub its_aid: u32,
    /// Which service specific permissions; without it only none.
    pub range: Option<SspRange>,
}

impl Oer<'_> for IssuePermission {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(1)?;
        let its_aid = reader.named("psid", Reader::unsigned)?;
        Ok(Self { its_aid, range: reader.optional(present & 0x80 != 0, "sspRange")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(preamble_of([self.range.is_some()]));
        write_unsigned(out, self.its_aid);
        self.range.iter().for_each(|range| range.write(out));
    }
}

/// Whether `bits` equals `value` wherever `mask` has a bit; all have one length.
fn equal_under(mask: &[u8], value: &[u8], bits: &[u8]) -> bool {
    mask.len() == value.len()
        && mask.len() == bits.len()
        && mask.iter().zip(value).zip(bits).all(|((mask, value), bits)| (value ^ bits) & mask == 0)
}

impl IssuePermission {
    /// Whether it lets its holder give `ssp`.
    fn covers(&self, ssp: Option<&Ssp>) -> bool {
        match (&self.range, ssp) {
            (Some(SspRange::All), _) | (None, None) => true,
            (Some(SspRange::Opaque(listed)), Some(Ssp::Opaque(ssp))) => listed.contains(ssp),
            (Some(SspRange::Bitmap { value, mask }), Some(Ssp::Bitmap(bits))) => equal_under(mask, value, bits),
            _ => false,
        }
    }

    /// Whether it lets its holder let others give `range`.
    fn covers_range(&self, range: Option<&SspRange>) -> bool {
        match (&self.range, range) {
            (Some(SspRange::All), _) | (None, None) => true,
            (Some(SspRange::Opaque(listed)), Some(SspRange::Opaque(inner))) => {
                inner.iter().all(|ssp| listed.contains(ssp))
            }
            (Some(SspRange::Bitmap { value, mask }), Some(SspRange::Bitmap { value: inner, mask: inner_mask })) => {
                equal_under(mask, value, inner) && equal_under(mask, &vec![0xFF; mask.len()], inner_mask)
            }
            _ => false,
        }
    }
}

/// Whom a group of permissions is for (`SubjectPermissions`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// These applications.
    Explicit(Vec<IssuePermission>),
    /// Every application that no other group names.
    All,
}

/// Permissions that an authority may give (`PsidGroupPermissions`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPermissions {
    /// Applications.
    pub subject: Subject,
    /// Fewest certificates from the holder's, not counted, down to the last of the chain.
    pub min_chain_length: i32,
    /// How many more there may be; -1 for any number.
    pub chain_length_range: i32,
    /// For which kinds of last certificate: [`GroupPermissions::APPLICATION`], [`GroupPermissions::ENROLMENT`] or both.
    pub end_entity: u8,
}

impl GroupPermissions {
    /// Certificates that sign messages.
    pub const APPLICATION: u8 = 0x80;
    /// Certificates that ask for certificates.
    pub const ENROLMENT: u8 = 0x40;

    const DEFAULT: (i32, i32, u8) = (1, 0, Self::APPLICATION);

    /// Fewest and most certificates down to the last of the chain.
    fn chain_lengths(&self) -> (i64, i64) {
        let least = i64::from(self.min_chain_length);
        let most = if self.chain_length_range < 0 { i64::MAX } else { least + i64::from(self.chain_length_range) };
        (least, most)
    }

    fn explicit(&self, its_aid: u32) -> impl Iterator<Item = &IssuePermission> {
        let listed = match &self.subject {
            Subject::Explicit(listed) => &listed[..],
            Subject::All => &[],
        };
        listed.iter().filter(move |permission| permission.its_aid == its_aid)
    }
}

impl Oer<'_> for GroupPermissions {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(3)?;
        let subject = reader.named("subjectPermissions", |reader| match reader.alternative()? {
            0 => Ok(Subject::Explicit(reader.list("explicit", 0)?)),
            1 => Ok(Subject::All),
            other => reader.unknown("kind of subject permissions", other),
        })?;
        let (min_chain_length, chain_length_range, end_entity) = Self::DEFAULT;
        let mut integer = |bit: u8, name, default| {
            if present & bit == 0 {
                return Ok(default);
            }
            reader.named(name, |reader| {
                let value = reader.signed()?;
                reader.require(value != default, OerProblem::NotCanonical("a default is left out"))?;
                Ok(value)
            })
        };
        let min_chain_length = integer(0x80, "minChainLength", min_chain_length)?;
        let chain_length_range = integer(0x40, "chainLengthRange", chain_length_range)?;
        let spelt: Option<u8> = reader.optional(present & 0x20 != 0, "eeType")?;
        reader.require(spelt != Some(end_entity), OerProblem::NotCanonical("a default is left out"))?;
        Ok(Self { subject, min_chain_length, chain_length_range, end_entity: spelt.unwrap_or(end_entity) })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (min_chain_length, chain_length_range, end_entity) = Self::DEFAULT;
        let spelt = [
            self.min_chain_length != min_chain_length,
            self.chain_length_range != chain_length_range,
            self.end_entity != end_entity,
        ];
        out.push(preamble_of(spelt));
        match &self.subject {
            Subject::Explicit(listed) => {
                write_alternative(out, 0);
                write_list(out, listed);
            }
            Subject::All => write_alternative(out, 1),
        }
        if spelt[0] {
            write_signed(out, self.min_chain_length);
        }
        if spelt[1] {
            write_signed(out, self.chain_length_range);
        }
        if spelt[2] {
            out.push(self.end_entity);
        }
    }
}

/// Whether some group permits it: by naming the application, or by being for all when no group names it.
fn any_group(
    groups: &[GroupPermissions],
    its_aid: u32,
    lengths: (i64, i64),
    end_entity: u8,
    covers: impl Fn(&IssuePermission) -> bool,
) -> bool {
    let fits = |group: &&GroupPermissions| {
        let (least, most) = group.chain_lengths();
        least <= lengths.0 && lengths.1 <= most && end_entity & !group.end_entity == 0
    };
    if groups.iter().any(|group| group.explicit(its_aid).next().is_some()) {
        return groups.iter().filter(fits).any(|group| group.explicit(its_aid).any(&covers));
    }
    groups.iter().filter(fits).any(|group| group.subject == Subject::All)
}

/// Whether an authority with `groups` may issue, over `chain_length` certificates, one with `permission`.
pub fn permits(groups: &[GroupPermissions], chain_length: usize, permission: &AppPermission) -> bool {
    let length = chain_length as i64;
    let covers = |listed: &IssuePermission| listed.covers(permission.ssp.as_ref());
    any_group(groups, permission.its_aid, (length, length), GroupPermissions::APPLICATION, covers)
}

/// Whether an authority with `groups` may issue the certificate of an authority with `inner`.
pub fn permits_issuing(groups: &[GroupPermissions], inner: &GroupPermissions) -> bool {
    let (least, most) = inner.chain_lengths();
    let lengths = (least.saturating_add(1), most.saturating_add(1));
    match &inner.subject {
        Subject::Explicit(listed) => listed.iter().all(|permission| {
            let covers = |outer: &IssuePermission| outer.covers_range(permission.range.as_ref());
            any_group(groups, permission.its_aid, lengths, inner.end_entity, covers)
        }),
        // Only a holder of "all" without exceptions can hand "all" on.
        Subject::All => groups.iter().any(|group| {
            let (least, most) = group.chain_lengths();
            group.subject == Subject::All
                && least <= lengths.0
                && lengths.1 <= most
                && inner.end_entity & !group.end_entity == 0
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(subject: Subject, min_chain_length: i32, chain_length_range: i32) -> GroupPermissions {
        GroupPermissions { subject, min_chain_length, chain_length_range, end_entity: GroupPermissions::APPLICATION }
    }

    fn cam(range: Option<SspRange>) -> Subject {
        Subject::Explicit(vec![IssuePermission { its_aid: 36, range }])
    }

    fn bitmap(value: &[u8], mask: &[u8]) -> SspRange {
        SspRange::Bitmap { value: value.to_vec(), mask: mask.to_vec() }
    }

    #[test]
    fn an_application_permission_lies_within_a_range() {
        let version_1 = || bitmap(&[1, 0, 0], &[0xFF, 0x0F, 0xFF]);
        for (range, ssp, permitted) in [
            (None, None, true),
            (None, Some(Ssp::Opaque(vec![])), false),
            (Some(SspRange::All), None, true),
            (Some(SspRange::All), Some(Ssp::Bitmap(vec![1, 2, 3])), true),
            (Some(SspRange::Opaque(vec![vec![1], vec![2]])), Some(Ssp::Opaque(vec![2])), true),
            (Some(SspRange::Opaque(vec![vec![1], vec![2]])), Some(Ssp::Opaque(vec![3])), false),
            (Some(version_1()), Some(Ssp::Bitmap(vec![1, 0xF0, 0])), true),
            (Some(version_1()), Some(Ssp::Bitmap(vec![1, 0xF8, 0])), false),
            (Some(version_1()), Some(Ssp::Bitmap(vec![2, 0xF0, 0])), false),
            (Some(version_1()), Some(Ssp::Bitmap(vec![1, 0xF0])), false),
            (Some(version_1()), None, false),
        ] {
            let permission = AppPermission { its_aid: 36, ssp };
            let groups = [group(cam(range), 1, 0)];
            assert_eq!(permits(&groups, 1, &permission), permitted, "{groups:?} {permission:?}");
            assert!(!permits(&groups, 1, &AppPermission { its_aid: 37, ..permission }));
        }
    }

    #[test]
    fn chain_lengths_count_down_to_the_last_certificate() {
        let permission = AppPermission { its_aid: 36, ssp: None };
        for (least, range, length, permitted) in
            [(1, 0, 1, true), (1, 0, 2, false), (2, 0, 1, false), (2, 0, 2, true), (1, 1, 2, true), (1, -1, 9, true)]
        {
            let groups = [group(Subject::All, least, range)];
            assert_eq!(permits(&groups, length, &permission), permitted, "{least} {range} {length}");
        }
        let enrolment = GroupPermissions { end_entity: GroupPermissions::ENROLMENT, ..group(Subject::All, 1, 0) };
        assert!(!permits(&[enrolment], 1, &permission));
    }

    #[test]
    fn a_named_application_is_not_under_all() {
        let groups = [group(Subject::All, 1, 0), group(cam(None), 1, 0)];
        assert!(permits(&groups, 1, &AppPermission { its_aid: 37, ssp: Some(Ssp::Opaque(vec![9])) }));
        assert!(!permits(&groups, 1, &AppPermission { its_aid: 36, ssp: Some(Ssp::Opaque(vec![9])) }));
    }

    #[test]
    fn an_authority_hands_on_no_more_than_it_has() {
        let outer = [group(cam(Some(bitmap(&[1, 0], &[0xFF, 0x0F]))), 2, 0)];
        for (inner, permitted) in [
            (group(cam(Some(bitmap(&[1, 0], &[0xFF, 0x0F]))), 1, 0), true),
            (group(cam(Some(bitmap(&[1, 0x40], &[0xFF, 0x4F]))), 1, 0), true),
            (group(cam(Some(bitmap(&[1, 0], &[0xFF, 0x07]))), 1, 0), false),
            (group(cam(Some(bitmap(&[1, 1], &[0xFF, 0x0F]))), 1, 0), false),
            (group(cam(Some(SspRange::All)), 1, 0), false),
            (group(cam(Some(bitmap(&[1, 0], &[0xFF, 0x0F]))), 2, 0), false),
            (group(cam(Some(bitmap(&[1, 0], &[0xFF, 0x0F]))), 1, 1), false),
            (group(Subject::All, 1, 0), false),
        ] {
            assert_eq!(permits_issuing(&outer, &inner), permitted, "{inner:?}");
        }
        assert!(permits_issuing(&[group(Subject::All, 2, 0)], &group(Subject::All, 1, 0)));
    }
}
