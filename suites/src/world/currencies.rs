//! Currencies of ISO 4217, from `iso_currency`.

use iso_currency::{Currency, IntoEnumIterator};

use super::pairs::Pairs;

/// Pairs of (code, English name) of the current currencies of countries.
pub(super) fn names_by_code() -> Pairs {
    Currency::iter()
        .filter(|currency| {
            !currency.is_fund() && !currency.is_special() && currency.is_superseded().is_none()
        })
        // Units of account and metals also have codes, but no country uses them.
        .filter(|currency| !currency.used_by().is_empty() && !currency.name().contains('('))
        .map(|currency| (currency.code().to_owned(), currency.name().to_owned()))
        .collect()
}
