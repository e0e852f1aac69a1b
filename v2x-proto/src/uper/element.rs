//! Codecs of the generic element kinds.
use std::marker::PhantomData;

/// An INTEGER of `MIN..=MAX`.
pub(crate) struct Int<T, const MIN: i64, const MAX: i64>(PhantomData<T>);
/// An INTEGER of `MIN..=MAX` that later versions may extend.
pub(crate) struct IntExt<T, const MIN: i64, const MAX: i64>(PhantomData<T>);
/// A SEQUENCE OF with `MIN..=MAX` elements.
pub(crate) struct ListOf<C, const INLINE: usize, const MIN: usize, const MAX: usize>(PhantomData<C>);
/// A SEQUENCE OF with `MIN..=MAX` elements, or up to `CAP` as an extension.
pub(crate) struct ListExt<C, const INLINE: usize, const MIN: usize, const MAX: usize, const CAP: usize>(PhantomData<C>);
/// An element whose Rust value is boxed.
pub(crate) struct OnHeap<C>(PhantomData<C>);
