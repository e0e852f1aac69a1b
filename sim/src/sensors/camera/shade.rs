//! What a surface looks like: materials under the light, with noise, windows, signs and characters drawn in place.

use super::ground::Surface;
use super::light::{Light, Rgb, luminance, mix, noise, scale, smooth};
use super::material::{Finish, Lamp, Material, Semantic};
use super::mesh::V3;
use super::scene::Scene;
use super::shadow::ShadowMap;
use super::{glyphs, light};

/// A point of a surface that a ray meets; scene coordinates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) position: V3,
    /// Turned to the camera.
    pub(crate) normal: V3,
    pub(crate) uv: [f32; 2],
    /// Unit, from the camera.
    pub(crate) view: V3,
    pub(crate) distance: f32,
    /// Width that a sample covers, metres.
    pub(crate) footprint: f32,
}

/// What a static surface gives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lit {
    pub(crate) rgb: Rgb,
    /// Share of the light that a shadow takes; 0 for what is not ground.
    pub(crate) sun: f32,
    /// Mean share of light that is scattered; 0 for what is not ground.
    pub(crate) albedo: f32,
    /// How well it mirrors, 0 to 1.
    pub(crate) mirror: f32,
    pub(crate) class: Semantic,
}

/// A pair of head lamps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beam {
    pub(crate) at: V3,
    pub(crate) ahead: V3,
    pub(crate) strength: f32,
}

impl Beam {
    /// Light on a place, per unit of the lamps' colour.
    #[inline]
    pub(crate) fn on(&self, p: V3) -> f32 {
        let d = p - self.at;
        let along = d.dot(&self.ahead);
        if !(0.3..70.0).contains(&along) {
            return 0.0;
        }
        let across = d.x * self.ahead.y - d.y * self.ahead.x;
        let width = 0.9 + 0.26 * along;
        let side = (across / width).powi(2);
        if side > 6.0 {
            return 0.0;
        }
        // The low beam is cut off a little below the lamps' height.
        let above = d.z + 0.012 * along;
        let cut = smooth(0.35, -0.10, above);
        let reach = 1.0 / (1.0 + (along / 13.0).powi(2));
        self.strength * (-side).exp() * cut * reach * smooth(0.3, 3.0, along) * (0.25 + 3.2 / (1.0 + along))
    }
}

pub(crate) const BEAM_RGB: Rgb = [1.0, 0.96, 0.86];
pub(crate) const STREET_RGB: Rgb = [1.0, 0.76, 0.46];

/// Everything that decides how static surfaces look.
pub(crate) struct Shading<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) light: &'a Light,
    pub(crate) shadow: Option<&'a ShadowMap>,
}

impl Shading<'_> {
    /// Light of street lamps on a place.
    pub(crate) fn street(&self, p: V3, normal: V3) -> f32 {
        if self.light.lamps <= 0.0 {
            return 0.0;
        }
        let near = self.scene.lamps_at(p.x, p.y).iter();
        near.map(|k| {
            let d = self.scene.lamps[*k as usize] - p;
            let square = d.norm_squared();
            let facing = (d.dot(&normal) / square.sqrt()).max(0.0);
            // A lamp shines downward.
            let down = (d.z / square.sqrt()).max(0.0);
            9.0 * facing * down / (square + 6.0)
        })
        .sum::<f32>()
            * self.light.lamps
    }

    /// A static surface.
    pub(crate) fn surface(&self, hit: &Hit, material: &Material) -> Lit {
        let light = self.light;
        let mut look = self.look(hit, material);
        let n = look.normal;
        let facing = n.dot(&light.sun).max(0.0);
        let open = if facing > 0.0 { self.shadow.map_or(1.0, |s| s.open(hit.position)) } else { 1.0 };
        let (sun, sky) = (scale(light.sun_rgb, facing * open), light.ambient(n));
        let street = scale(STREET_RGB, self.street(hit.position, n));
        let ground = matches!(look.class, Semantic::Road | Semantic::Marking | Semantic::Pavement | Semantic::Terrain);
        if light.wetness > 0.0 && ground {
            // Water fills the pores: darker, and it mirrors.
            let dark = 1.0 - 0.45 * light.wetness * if look.class == Semantic::Terrain { 0.4 } else { 1.0 };
            look.albedo = scale(look.albedo, dark);
        }
        let mut rgb: Rgb = std::array::from_fn(|i| look.albedo[i] * (sun[i] + sky[i] * look.occlusion + street[i]) + look.glow[i]);
        if look.leaf {
            let through = (-n.dot(&light.sun)).max(0.0) * open * 0.35;
            rgb = std::array::from_fn(|i| rgb[i] + look.albedo[i] * light.sun_rgb[i] * through * [0.9, 1.1, 0.5][i]);
        }
        let mut mirror = 0.0;
        if look.gloss > 0.0 {
            let facing = (-hit.view.dot(&n)).clamp(0.0, 1.0);
            let fresnel = look.gloss * (0.04 + 0.96 * (1.0 - facing).powi(5));
            let d = hit.view - n * (2.0 * hit.view.dot(&n));
            let mut seen = light.mirrored(d);
            let glint = d.dot(&light.sun).max(0.0).powi(40) * open;
            seen = std::array::from_fn(|i| seen[i] + light.sun_rgb[i] * glint * 2.0);
            let share = if look.glass { fresnel.max(0.10) } else { fresnel };
            rgb = mix(rgb, seen, share.min(0.9));
            mirror = if ground { share } else { 0.0 };
        }
        let total = facing * open * luminance(light.sun_rgb);
        let all = total + luminance(sky) + luminance(street);
        let sun = if ground && all > 0.0 { total / all } else { 0.0 };
        Lit {
            rgb: light.hazed(rgb, hit.distance),
            sun: sun * (-light.haze_per_m * hit.distance).exp(),
            albedo: if ground { luminance(look.albedo) * (-light.haze_per_m * hit.distance).exp() } else { 0.0 },
            mirror,
            class: look.class,
        }
    }

    fn look(&self, hit: &Hit, material: &Material) -> Look {
        let mut look = Look::plain(material.rgb, hit.normal, material.class);
        match material.finish {
            Finish::Ground => self.ground(hit, &mut look),
            Finish::Marking => {
                let (x, y) = (hit.position.x, hit.position.y);
                let worn = 0.70 + 0.45 * noise(x * 3.1, y * 3.1) - 0.30 * noise(x * 23.0, y * 23.0);
                let (base, _) = asphalt(hit);
                look.albedo = mix(base, material.rgb, worn.clamp(0.35, 1.0));
                look.gloss = self.puddle(hit) * 0.9;
            }
            Finish::Tint => {
                let (base, fine) = asphalt(hit);
                look.albedo = mix(base, scale(material.rgb, 0.55 + 0.4 * fine), 0.72);
                look.gloss = self.puddle(hit) * 0.9;
            }
            Finish::Facade(number) => facade(hit, material, number, self.light, &mut look),
            Finish::Roof => {
                let row = (hit.position.z * 4.2).fract();
                let tone = 0.80 + 0.25 * noise(hit.position.x * 2.0, hit.position.y * 2.0) - if row < 0.22 { 0.22 } else { 0.0 };
                look.albedo = scale(material.rgb, tone);
            }
            Finish::Leaves => {
                look.leaf = true;
                look.albedo = scale(material.rgb, 0.9 + 0.3 * (noise(hit.position.x * 1.3, hit.position.z * 1.3) - 0.5));
            }
            Finish::Metal => look.gloss = 0.5,
            Finish::Glass => {
                look.gloss = 1.0;
                look.glass = true;
            }
            Finish::Paint => look.gloss = 0.8,
            Finish::Sign(number) => look.albedo = glyphs::sign(number, hit.uv),
            Finish::Plate(number) => look.albedo = glyphs::plate(number, hit.uv),
            Finish::Lamp(Lamp::Street) => look.glow = scale(STREET_RGB, 2.4 * self.light.lamps),
            Finish::Matte | Finish::Board(_) | Finish::Lamp(_) => {}
        }
        look
    }

    /// How much of the ground is a film of water here, 0 to 1.
    fn puddle(&self, hit: &Hit) -> f32 {
        let wet = self.light.wetness;
        if wet <= 0.0 {
            return 0.0;
        }
        let (x, y) = (hit.position.x, hit.position.y);
        let pool = 0.6 * noise(x * 0.28, y * 0.28) + 0.4 * noise(x * 0.9, y * 0.9);
        (0.45 * wet + smooth(0.74 - 0.36 * wet, 0.90 - 0.36 * wet, pool) * wet).min(1.0)
    }

    fn ground(&self, hit: &Hit, look: &mut Look) {
        let (x, y) = (hit.position.x, hit.position.y);
        let (surface, edge) = self.scene.ground.surface(x, y);
        match surface {
            Surface::Road => {
                let (base, _) = asphalt(hit);
                // Dirt gathers in the gutter.
                look.albedo = scale(base, 1.0 - 0.28 * smooth(-0.45, -0.05, edge));
                look.class = Semantic::Road;
                look.gloss = self.puddle(hit);
            }
            Surface::Kerb => {
                let joint = if hit.footprint < 0.05 && ((x + y) * 0.9).fract().abs() < 0.02 { 0.6 } else { 1.0 };
                let stone = if edge < 0.035 { 0.10 } else { 0.40 };
                let tone = stone * joint * (0.9 + 0.2 * noise(x * 4.0, y * 4.0));
                look.albedo = [tone, tone * 0.985, tone * 0.95];
                look.class = Semantic::Pavement;
                look.gloss = self.puddle(hit) * 0.5;
            }
            Surface::Pavement => {
                let (u, v) = (x / 0.6, y / 0.6);
                let slab = light::hash(u.floor() as i32, v.floor() as i32);
                let seam = (u.fract().abs() < 0.03 || v.fract().abs() < 0.03) && hit.footprint < 0.12;
                let stain = noise(x * 0.6, y * 0.6) * 0.5 + noise(x * 7.0, y * 7.0) * 0.3;
                let tone = 0.335 * (0.86 + 0.12 * slab + 0.20 * (stain - 0.4)) * if seam { 0.72 } else { 1.0 };
                look.albedo = [tone, tone * 0.975, tone * 0.93];
                look.class = Semantic::Pavement;
                look.gloss = self.puddle(hit) * 0.6;
            }
            Surface::Terrain => {
                let wide = noise(x * 0.06, y * 0.06) * 0.6 + noise(x * 0.31, y * 0.31) * 0.4;
                let fade = (1.0 - hit.footprint * 4.0).clamp(0.0, 1.0);
                let blades = noise(x * 9.0, y * 9.0) * 0.6 + noise(x * 31.0, y * 31.0) * 0.4;
                let tone = 0.80 + 0.35 * (wide - 0.5) + 0.75 * (blades - 0.5) * fade;
                let dry = smooth(0.45, 0.75, noise(x * 0.11 + 40.0, y * 0.11));
                look.albedo = scale(mix([0.088, 0.125, 0.040], [0.175, 0.150, 0.075], dry * 0.6), tone);
                look.class = Semantic::Terrain;
            }
        }
    }
}

/// Colour of asphalt and its fine grain (0 to 1).
fn asphalt(hit: &Hit) -> (Rgb, f32) {
    let (x, y) = (hit.position.x, hit.position.y);
    let fade = |cell: f32| (1.25 - hit.footprint / cell).clamp(0.0, 1.0);
    let fine = if hit.footprint < 0.08 { noise(x * 41.0, y * 41.0) * 0.6 + noise(x * 97.0, y * 97.0) * 0.4 } else { 0.5 };
    let middle = noise(x * 3.3, y * 3.3);
    let wide = noise(x * 0.21, y * 0.21) * 0.55 + noise(x * 0.75, y * 0.75) * 0.45;
    let mut tone = 0.118 * (1.0 + 0.34 * (wide - 0.5) + 0.16 * (middle - 0.5) * fade(0.3) + 0.62 * (fine - 0.5) * fade(0.06));
    // Patches: some cells of a coarse grid hold a darker or lighter rectangle.
    let (cx, cy) = ((x / 9.0).floor(), (y / 9.0).floor());
    let luck = light::hash(cx as i32 ^ 0x5a5a, cy as i32);
    if luck < 0.22 {
        let (px, py) = (x / 9.0 - cx, y / 9.0 - cy);
        let (w, h) = (0.12 + luck, 0.08 + 0.9 * luck);
        if (px - 0.5).abs() < w && (py - 0.45).abs() < h {
            let rim = (px - 0.5).abs() > w - 0.006 || (py - 0.45).abs() > h - 0.006;
            tone *= if rim && hit.footprint < 0.08 { 0.55 } else if luck < 0.15 { 0.80 } else { 1.10 };
        }
    }
    // Cracks: thin level lines of noise, here and there.
    let crack = (noise(x * 0.42 + 7.0, y * 0.42) + 0.25 * noise(x * 2.3, y * 2.3) - 0.62).abs();
    if crack < 0.007 && noise(x * 0.09, y * 0.09 + 30.0) > 0.52 {
        tone *= 0.55 + 0.45 * (hit.footprint * 12.0).min(1.0);
    }
    (([tone, tone * 0.992, tone * 1.0]), fine)
}

#[derive(Clone, Copy)]
struct Look {
    albedo: Rgb,
    normal: V3,
    /// Light of its own.
    glow: Rgb,
    gloss: f32,
    glass: bool,
    leaf: bool,
    occlusion: f32,
    class: Semantic,
}

impl Look {
    fn plain(albedo: Rgb, normal: V3, class: Semantic) -> Self {
        Self { albedo, normal, glow: [0.0; 3], gloss: 0.0, glass: false, leaf: false, occlusion: 1.0, class }
    }
}

fn facade(hit: &Hit, material: &Material, number: u32, light: &Light, look: &mut Look) {
    const STOREY_M: f32 = 3.1;
    let [u, v] = hit.uv;
    let bay_m = 2.5 + 0.28 * (number % 5) as f32;
    let (floor, bay) = ((v / STOREY_M).floor(), (u / bay_m).floor());
    let (up, across) = (v - floor * STOREY_M, (u - (bay + 0.5) * bay_m).abs());
    let chance = light::hash((bay as i32) * 31 + floor as i32, number as i32);
    let stain = noise(u * 0.35, v * 0.22 + (number % 97) as f32) * 0.6 + noise(u * 2.3, v * 2.3) * 0.25;
    let mut albedo = scale(material.rgb, 0.88 + 0.24 * (stain - 0.4));
    look.occlusion = 0.55 + 0.45 * smooth(0.0, 2.5, v);
    let shop = floor == 0.0 && number & 1 == 1;
    let (half, low, high) = if shop { (bay_m * 0.40, 0.45, 2.5) } else if floor == 0.0 && chance < 0.2 { (0.5, 0.0, 2.3) } else { (0.52, 0.92, 2.42) };
    let (inside, frame) = (across < half && up > low && up < high, across < half + 0.12 && up > low - 0.12 && up < high + 0.12);
    if v < 0.45 {
        albedo = scale(material.rgb, 0.55);
    } else if up < 0.14 && floor > 0.0 {
        albedo = scale(material.rgb, 1.15);
    }
    if inside {
        let bar = !shop && across < 0.03 || up > low && (up - (low + high) * 0.58).abs() < 0.03;
        let edge = across > half - 0.06 || up < low + 0.06 || up > high - 0.06;
        if bar || edge {
            albedo = if number & 4 == 0 { [0.62, 0.61, 0.58] } else { [0.20, 0.15, 0.11] };
        } else {
            albedo = [0.018, 0.021, 0.024];
            let curtain = !shop && chance > 0.55 && across > half * 0.45;
            if curtain {
                albedo = [0.16, 0.15, 0.14];
            }
            look.gloss = 1.0;
            look.glass = true;
            let lit = if shop { 0.6 } else { 0.34 };
            if light.lamps > 0.3 && light::hash(bay as i32 + 977, floor as i32 * 57 + number as i32) < lit {
                look.glow = scale([1.0, 0.78, 0.46], (0.05 + 0.07 * chance) * light.lamps);
            }
        }
    } else if frame {
        albedo = scale(material.rgb, 1.22).map(|c| c.min(0.8));
    } else if floor > 0.0 && number & 2 == 2 && across < half + 0.52 && up > low - 0.05 && up < high + 0.05 {
        let slat = 0.8 + 0.25 * ((up * 16.0).fract() - 0.5).abs();
        let rgb: Rgb = [[0.06, 0.10, 0.06], [0.10, 0.05, 0.03], [0.16, 0.16, 0.15]][(number >> 5) as usize % 3];
        albedo = scale(rgb, slat);
    }
    look.albedo = albedo;
}

/// What an actor's surface needs besides the hit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActorLight {
    /// Share of the sun that nothing static hides.
    pub(crate) open: f32,
    /// Light of street lamps on a surface that faces up, and of other vehicles' lamps from their direction.
    pub(crate) street: f32,
    pub(crate) beam: f32,
    pub(crate) beam_from: V3,
    /// Which lamps are lit.
    pub(crate) lit: LitLamps,
    pub(crate) ground_z: f32,
    /// Share of its light that haze lets through.
    pub(crate) clear: f32,
}

/// Which lamps of an actor are lit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LitLamps {
    pub(crate) low_beam: bool,
    pub(crate) brake: bool,
    pub(crate) left: bool,
    pub(crate) right: bool,
    pub(crate) beacon: bool,
}

/// Light that a lamp gives off, if it is lit.
pub(crate) fn lamp_glow(lamp: Lamp, lit: &LitLamps, night: f32) -> Option<Rgb> {
    let strong = 1.0 - 0.72 * night;
    match lamp {
        Lamp::Head if lit.low_beam => Some(scale([3.4, 3.3, 3.0], strong)),
        Lamp::Tail if lit.brake => Some(scale([2.6, 0.10, 0.07], strong)),
        Lamp::Tail if lit.low_beam => Some(scale([0.9, 0.035, 0.025], strong)),
        Lamp::Left if lit.left => Some(scale([2.6, 1.05, 0.08], strong)),
        Lamp::Right if lit.right => Some(scale([2.6, 1.05, 0.08], strong)),
        Lamp::Beacon if lit.beacon => Some(scale([0.25, 0.55, 3.4], strong)),
        _ => None,
    }
}

/// An actor's surface.
#[inline]
pub(crate) fn actor_surface(light: &Light, hit: &Hit, material: &Material, a: &ActorLight) -> Rgb {
    let n = hit.normal;
    let mut albedo = material.rgb;
    let mut gloss = 0.0;
    let mut least = 0.0;
    match material.finish {
        Finish::Lamp(lamp) => {
            if let Some(glow) = lamp_glow(lamp, &a.lit, light.lamps) {
                return mix(light.haze_rgb, glow, a.clear);
            }
            gloss = 0.6;
        }
        Finish::Paint => gloss = 0.85,
        Finish::Glass => {
            gloss = 1.0;
            least = 0.13;
        }
        Finish::Metal => {
            gloss = 0.9;
            least = 0.22;
        }
        Finish::Plate(number) => albedo = glyphs::plate(number, hit.uv),
        Finish::Board(number) => return mix(light.haze_rgb, scale(glyphs::board(number, hit.uv), 1.0 - 0.7 * light.lamps), a.clear),
        Finish::Matte
        | Finish::Leaves
        | Finish::Ground
        | Finish::Marking
        | Finish::Tint
        | Finish::Facade(_)
        | Finish::Roof
        | Finish::Sign(_) => {}
    }
    let facing = n.dot(&light.sun).max(0.0) * a.open;
    let height = hit.position.z - a.ground_z;
    // Near the ground less of the sky is seen.
    let occlusion = 0.52 + 0.48 * smooth(0.0, 0.9, height);
    let sky = light.ambient(n);
    let street = a.street * (0.62 + 0.38 * n.z);
    let beam = a.beam * n.dot(&a.beam_from).max(0.0);
    let mut rgb: Rgb = std::array::from_fn(|i| {
        albedo[i] * (light.sun_rgb[i] * facing + sky[i] * occlusion + STREET_RGB[i] * street + BEAM_RGB[i] * beam)
    });
    if gloss > 0.0 {
        let toward = (-hit.view.dot(&n)).clamp(0.0, 1.0);
        let edge = 1.0 - toward;
        let square = edge * edge;
        let fresnel = gloss * (0.045 + 0.955 * square * square * edge);
        let d = hit.view - n * (2.0 * hit.view.dot(&n));
        let seen = light.mirrored(d);
        rgb = mix(rgb, seen, fresnel.max(least).min(0.85));
        let mut glint = d.dot(&light.sun).max(0.0);
        glint *= glint;
        glint *= glint;
        glint *= glint;
        glint *= glint;
        glint *= glint;
        rgb = std::array::from_fn(|i| rgb[i] + light.sun_rgb[i] * glint * gloss * a.open * 0.55);
    }
    mix(light.haze_rgb, rgb, a.clear)
}

/// The sky in a direction, with clouds and the sun.
pub(crate) fn sky(light: &Light, d: V3) -> Rgb {
    let mut rgb = light.sky(d.z);
    if d.z > 0.005 {
        let (x, y) = (d.x / (d.z + 0.12), d.y / (d.z + 0.12));
        let cloud = noise(x * 1.3 + 5.0, y * 1.3) * 0.5 + noise(x * 2.9, y * 2.9 + 11.0) * 0.28 + noise(x * 6.7, y * 6.7) * 0.22;
        let cover = smooth(0.78 - 0.62 * light.cloud, 1.05 - 0.55 * light.cloud, cloud) * smooth(0.0, 0.10, d.z);
        let white = luminance(light.from_above) * 1.05 + luminance(light.sun_rgb) * 0.18;
        let grey = 0.72 + 0.5 * (noise(x * 2.1 + 3.0, y * 2.1) - 0.4);
        let tint = mix([1.0; 3], scale(light.horizon, 1.0 / luminance(light.horizon).max(1e-4)), 0.35);
        rgb = mix(rgb, scale(tint, white * grey), cover * (0.85 - 0.35 * light.cloud * 0.5));
    }
    let near = d.dot(&light.sun).max(0.0);
    let glow = near.powi(12) * 0.16 + near.powi(160) * 0.7 + if near > 0.99985 { 14.0 } else { 0.0 };
    let clear = 1.0 - smooth(0.3, 0.95, light.cloud);
    rgb = std::array::from_fn(|i| rgb[i] + light.sun_rgb[i] * glow * clear);
    // Haze is thicker towards the horizon.
    let far = 1200.0 / (1.0 + 28.0 * d.z.max(0.0));
    let mist = 1.0 - (-light.haze_per_m * far * 3.0).exp();
    mix(rgb, light.haze_rgb, mist * smooth(20_000.0, 1500.0, 3.912 / light.haze_per_m).max(0.12 * (1.0 - d.z.max(0.0)).powi(8)))
}
