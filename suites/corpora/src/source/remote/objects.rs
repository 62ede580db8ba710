//! Objects, as a service lists them and sends their content.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future};
use object_store::path::Path as Key;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::address::Address;
use super::errors::{failed, incomplete};
use crate::CorpusError;
use crate::source::files::{Format, KNOWN, kind};

/// Time without a byte of content after which an object is given up.
const STALLED: Duration = Duration::from_secs(60);

/// What tells whether an object changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    e_tag: Option<String>,
    modified_ms: i64,
    size: u64,
}

impl Version {
    fn of(meta: &ObjectMeta) -> Self {
        Self {
            e_tag: meta.e_tag.clone(),
            modified_ms: meta.last_modified.timestamp_millis(),
            size: meta.size,
        }
    }

    /// Whether an object of this version and one of `other` are known to have the same content.
    pub fn is(&self, other: &Self) -> bool {
        self.size == other.size
            && match (&self.e_tag, &other.e_tag) {
                (Some(one), Some(two)) => one == two,
                // A service that states no time has the time zero.
                (None, None) => self.modified_ms == other.modified_ms && self.modified_ms != 0,
                _ => false,
            }
    }
}

/// An object that is read.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its address.
    pub address: Address,
    /// Its version when it was found.
    pub version: Version,
    store: Arc<dyn ObjectStore>,
}

impl Object {
    /// Bytes of its content.
    pub fn size(&self) -> u64 {
        self.version.size
    }

    /// Whether it has documents; otherwise it is the index of an object that has them.
    pub fn has_documents(&self) -> bool {
        kind(Path::new(self.address.key.as_ref())).is_some()
    }

    /// The key of the index that may be beside it.
    pub fn index(&self) -> Option<Key> {
        index(&self.address.key)
    }

    /// Writes the content to a file, and calls `received` with the bytes of each piece.
    ///
    /// # Errors
    /// If the object cannot be fetched whole, or the file, which will have the name `path`, cannot be written.
    pub async fn download(
        &self,
        mut file: &File,
        path: &Path,
        mut received: impl FnMut(u64),
    ) -> Result<blake3::Hash, CorpusError> {
        let url = self.address.url();
        let result = self.store.get(&self.address.key).await;
        let mut content = result.map_err(|error| failed(&url, &error))?.into_stream();
        let mut hasher = blake3::Hasher::new();
        loop {
            let next = timeout(STALLED, content.next()).await;
            let next = next.map_err(|_| {
                incomplete(&url, &format!("no byte in {} seconds", STALLED.as_secs()))
            })?;
            let Some(bytes) = next.transpose().map_err(|error| failed(&url, &error))? else {
                break;
            };
            hasher.update(&bytes);
            file.write_all(&bytes)
                .map_err(CorpusError::io("write", path))?;
            received(bytes.len() as u64);
        }
        if hasher.count() != self.version.size {
            let problem = format!("{} bytes of {}", hasher.count(), self.version.size);
            return Err(incomplete(&url, &problem));
        }
        Ok(hasher.finalize())
    }
}

/// The objects that addresses, values of the configuration's `key`, stand for, each once.
///
/// # Errors
/// If an object or the list of a prefix cannot be read, or a prefix has no object with a known ending.
pub async fn find(key: &str, addresses: &[Address]) -> Result<Vec<Object>, CorpusError> {
    let mut objects = Vec::new();
    for address in addresses {
        let failed = |error| failed(&address.url(), &error);
        let store = address.open().map_err(failed)?;
        let metas = match address.is_prefix {
            true => list(&*store, &address.key).await,
            false => object_and_index(&*store, &address.key).await,
        };
        let metas = metas.map_err(failed)?;
        if metas.is_empty() {
            let remedy = format!("there is no object that ends in {KNOWN}; correct the path");
            return Err(CorpusError::config(key, address.url(), remedy));
        }
        objects.extend(metas.into_iter().map(|meta| Object {
            address: address.at(meta.location.clone()),
            version: Version::of(&meta),
            store: store.clone(),
        }));
    }
    objects.sort_by_cached_key(|object| object.address.url());
    objects.dedup_by_key(|object| object.address.url());
    Ok(objects)
}

/// All objects below a prefix that have documents, or are the index of such an object.
async fn list(store: &dyn ObjectStore, prefix: &Key) -> Result<Vec<ObjectMeta>, Error> {
    let prefix = (!prefix.is_root()).then_some(prefix);
    let may_be_read = |meta: &ObjectMeta| {
        let path = Path::new(meta.location.as_ref());
        future::ready(kind(path).is_some() || path.extension().is_some_and(|own| own == "idx"))
    };
    let found = store.list(prefix).try_filter(may_be_read);
    let mut found: Vec<ObjectMeta> = found.try_collect().await?;
    let indices: BTreeSet<Key> = found
        .iter()
        .filter_map(|meta| index(&meta.location))
        .collect();
    found.retain(|meta| {
        kind(Path::new(meta.location.as_ref())).is_some() || indices.contains(&meta.location)
    });
    Ok(found)
}

async fn object_and_index(store: &dyn ObjectStore, key: &Key) -> Result<Vec<ObjectMeta>, Error> {
    let mut found = vec![store.head(key).await?];
    if let Some(index) = index(key) {
        match store.head(&index).await {
            Ok(meta) => found.push(meta),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The key of the index that may be beside an object of tokens.
fn index(key: &Key) -> Option<Key> {
    let path = PathBuf::from(key.as_ref());
    let (format, _) = kind(&path)?;
    let index = path.with_extension("idx");
    (format == Format::Tokens)
        .then(|| index.to_str().and_then(|index| Key::parse(index).ok()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_equal_by_tag_and_size_or_without_tags_by_time_and_size() {
        let version = |e_tag: Option<&str>, modified_ms, size| Version {
            e_tag: e_tag.map(str::to_owned),
            modified_ms,
            size,
        };
        let a = Some("\"a\"");
        for (one, two, expected) in [
            (version(a, 1, 5), version(a, 2, 5), true),
            (version(a, 1, 5), version(Some("\"b\""), 1, 5), false),
            (version(a, 1, 5), version(a, 1, 6), false),
            (version(a, 1, 5), version(None, 1, 5), false),
            (version(None, 1, 5), version(None, 1, 5), true),
            (version(None, 1, 5), version(None, 2, 5), false),
            (version(None, 0, 5), version(None, 0, 5), false),
        ] {
            assert_eq!(one.is(&two), expected, "{one:?} {two:?}");
        }
    }

    #[test]
    fn tokens_may_have_an_index_beside() {
        let index = |key: &str| index(&Key::parse(key).unwrap()).map(|key| key.to_string());
        assert_eq!(index("a/b.bin").as_deref(), Some("a/b.idx"));
        assert_eq!(index("a/b.txt"), None);
    }
}
