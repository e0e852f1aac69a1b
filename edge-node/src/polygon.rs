//! Polygons on the ground.

use masa_v2x_proto::geo::Enu;

/// Whether a ground position lies in a polygon, by the even-odd rule: the edges that a ray to the east crosses.
pub(crate) fn is_within(corners: &[[f64; 2]], p: Enu) -> bool {
    let ends = corners.iter().cycle().skip(1);
    corners.iter().zip(ends).fold(false, |inside, ([ae, an], [be, bn])| {
        let spans = (*an > p.n_m) != (*bn > p.n_m);
        inside ^ (spans && p.e_m < (be - ae) * (p.n_m - an) / (bn - an) + ae)
    })
}
