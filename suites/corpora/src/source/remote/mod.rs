//! Files of object stores and web servers: copied into the cache folder, then read as local files.

#[cfg(feature = "object-store")]
mod address;
#[cfg(feature = "object-store")]
mod copies;
#[cfg(feature = "object-store")]
mod errors;
#[cfg(feature = "object-store")]
mod objects;

use std::path::{Path, PathBuf};

use crate::progress::Observer;
use crate::{CorpusConfig, CorpusError};

/// Whether a path of a corpus is a URL (`SCHEME://...`) instead of a local path.
pub fn is_url(path: &Path) -> bool {
    let scheme = path.to_str().and_then(|text| text.split_once("://"));
    scheme.is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The configuration with local paths: objects that its URLs stand for are copied below `cache_dir`, unless an earlier copy is that of
/// the same version of the object, which its entity tag and size tell, or without a tag its time and size.
///
/// # Errors
/// If a URL is not supported, an object cannot be fetched, a copy cannot be written or is damaged, the program was built without the
/// feature `object-store`, or the observer ends the preparation.
pub fn fetch(
    label: &str,
    config: &CorpusConfig,
    cache_dir: &Path,
    observer: Observer,
) -> Result<CorpusConfig, CorpusError> {
    let (urls, mut paths): (Vec<PathBuf>, Vec<PathBuf>) =
        config.paths.iter().cloned().partition(|path| is_url(path));
    if !urls.is_empty() {
        paths.extend(copies_of(label, &urls, cache_dir, observer)?);
    }
    Ok(CorpusConfig {
        paths,
        ..config.clone()
    })
}

#[cfg(feature = "object-store")]
fn copies_of(
    label: &str,
    urls: &[PathBuf],
    cache_dir: &Path,
    mut observer: Observer,
) -> Result<Vec<PathBuf>, CorpusError> {
    copies::copies_of(label, urls, cache_dir, &mut observer)
}

#[cfg(not(feature = "object-store"))]
fn copies_of(
    label: &str,
    urls: &[PathBuf],
    _: &Path,
    _: Observer,
) -> Result<Vec<PathBuf>, CorpusError> {
    let url = urls.first().map_or(Path::new(""), PathBuf::as_path);
    Err(CorpusError::config(
        &format!("corpus.{label}.paths"),
        url.display(),
        "this program reads local files alone; build with `--features object-store`, or copy the files",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_begin_with_a_scheme() {
        for url in ["s3://bucket/a", "https://host/a.txt", "ftp://host"] {
            assert!(is_url(Path::new(url)), "{url}");
        }
        for path in ["a.txt", "/a/b", "a//b", "c://b", "a/b://c", "://a", "a:/b"] {
            assert!(!is_url(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn local_paths_stay_as_they_are() {
        let config = CorpusConfig::new(vec!["a".into(), "b/*.txt".into()]);
        let observer: Observer = &mut |_| panic!("nothing is fetched");
        let fetched = fetch("web", &config, Path::new("none"), observer).unwrap();
        assert_eq!(fetched, config);
    }

    #[cfg(not(feature = "object-store"))]
    #[test]
    fn without_the_feature_a_url_is_an_error_that_names_it() {
        let config = CorpusConfig::new(vec!["a".into(), "s3://bucket/a.txt".into()]);
        let observer: Observer = &mut |_| panic!("nothing is fetched");
        let error = fetch("web", &config, Path::new("none"), observer).unwrap_err();
        let message = error.to_string();
        for expected in [
            "corpus.web.paths = s3://bucket/a.txt",
            "build with `--features object-store`",
        ] {
            assert!(message.contains(expected), "{message}");
        }
    }
}
