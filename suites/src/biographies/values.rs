//! The values of the attributes. They are drawn uniformly, so the prior bits are log2 of the number of values.

/// The values of each attribute, in the order of the relations: birthday, birth city, university, major, employer,
/// home city.
pub(super) fn attributes() -> [Vec<String>; 6] {
    let cities = words(CITIES);
    [
        birthdays(),
        cities.clone(),
        words(UNIVERSITIES),
        words(MAJORS),
        employers(),
        cities,
    ]
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(|word| word.trim().to_owned()).collect()
}

/// The months of a date.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days 1 to 28, which every month has.
fn birthdays() -> Vec<String> {
    MONTHS
        .iter()
        .flat_map(|month| (1..=28).map(move |day| format!("{month} {day}")))
        .collect()
}

/// All combinations of founder and trade: two words that a model has to combine.
fn employers() -> Vec<String> {
    let trades = words(TRADES);
    let founders = words(FOUNDERS);
    founders
        .iter()
        .flat_map(|founder| trades.iter().map(move |trade| format!("{founder} {trade}")))
        .collect()
}

const CITIES: &str = "Accra, Aden, Algiers, Almaty, Amman, Ankara, Athens, Auckland, Baghdad, Baku, Bangkok, Basel,
    Beirut, Belfast, Bergen, Berlin, Bern, Bogota, Bologna, Bonn, Boston, Bremen, Brisbane, Brussels, Bucharest, Budapest,
    Cairo, Calgary, Cardiff, Chicago, Cologne, Cork, Dakar, Dallas, Damascus, Delhi, Denver, Dhaka, Doha, Dresden, Dubai,
    Dublin, Durban, Florence, Geneva, Genoa, Ghent, Glasgow, Graz, Hamburg, Hanoi, Harare, Havana, Helsinki, Houston,
    Istanbul, Jakarta, Kabul, Kampala, Karachi, Kiel, Kigali, Kobe, Krakow, Kyoto, Lagos, Lahore, Leeds, Leipzig, Lille,
    Lima, Lisbon, London, Luanda, Lusaka, Lyon, Madrid, Malaga, Malmo, Manila, Maputo, Medina, Miami, Milan, Minsk,
    Monaco, Mumbai, Munich, Muscat, Nagoya, Nairobi, Nantes, Naples, Odessa, Osaka, Oslo, Ottawa, Oxford, Paris, Perth,
    Porto, Prague, Quito, Rabat, Reno, Riga, Rome, Rouen, Salem, Seoul, Seville, Sofia, Split, Sydney, Taipei, Tallinn,
    Tampa, Tehran, Tirana, Tokyo, Toronto, Tunis, Turin, Utrecht, Venice, Vienna, Warsaw, Zurich";

const UNIVERSITIES: &str = "Alderney, Arkwright, Ashgrove, Avonlea, Bellwood, Blackmere, Bramley, Briarwood, Brookfield,
    Caldwell, Cedarhurst, Coldstream, Crestwood, Dunmore, Eastlake, Elmhurst, Fairmont, Fernhill, Foxbridge, Glenmoor,
    Goldcrest, Greenhill, Hartwell, Hawthorne, Hazelton, Heathfield, Highgate, Hollowell, Ironbridge, Ivybridge, Kestrel,
    Kingsmere, Lakeview, Larkspur, Lindenau, Longmeadow, Maplewood, Marlowe, Meadowbank, Millbrook, Moorland, Northgate,
    Oakhaven, Orchard Hill, Penrose, Pinecrest, Quarryhill, Ravenscroft, Redcliff, Ridgeway, Riverton, Rosewood,
    Sandhurst, Seabrook, Silverdale, Southport, Springfield, Stonebridge, Summerhill, Thornbury, Valemont, Westbrook,
    Whitmore, Willowdale";

const MAJORS: &str = "accounting, acoustics, aeronautics, agronomy, algebra, anatomy, anthropology, archaeology,
    architecture, astronomy, biochemistry, biology, botany, ceramics, chemistry, choreography, classics, dance, design,
    drama, ecology, economics, education, engineering, ethics, film, finance, forestry, genetics, geography, geology,
    geometry, history, hydrology, immunology, journalism, law, linguistics, literature, logic, marketing, mathematics,
    mechanics, medicine, metallurgy, meteorology, music, neuroscience, nursing, nutrition, oceanography, optics, painting,
    pharmacy, philosophy, physics, poetry, politics, psychology, robotics, sculpture, sociology, statistics, zoology";

const FOUNDERS: &str = "Amber, Beacon, Cobalt, Delta, Ember, Falcon, Granite, Harbor, Indigo, Juniper, Keystone, Lunar,
    Meridian, Nimbus, Onyx, Pioneer";

const TRADES: &str = "Bank, Energy, Foods, Labs, Motors, Press, Steel, Systems";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn attributes_have_the_documented_number_of_distinct_values() {
        let sizes = attributes().map(|values| values.len());
        assert_eq!(sizes, [336, 128, 64, 64, 128, 128]);
        for values in attributes() {
            assert_eq!(values.iter().collect::<HashSet<_>>().len(), values.len());
            assert!(
                values
                    .iter()
                    .all(|value| value.split(' ').count() <= 3 && !value.is_empty())
            );
        }
    }
}
