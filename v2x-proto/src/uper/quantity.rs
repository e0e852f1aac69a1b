//! Numbers with a unit.
macro_rules! quantities {
    ($( $name:ident : $ty:ident [$min:literal..=$max:literal] $kind:ident $scale:tt $(, $special:ident $code:literal)* ; )*) => {
        $( pub(crate) struct $name; )*
    };
}
pub(crate) use quantities;
