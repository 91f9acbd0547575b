use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use terrace_backend_remote::Deleted;

use super::*;
use crate::Folder;
use crate::archive::tests::archive;
use crate::attestation::tests::attested;

/// A store whose process dies before its `left`th write from now.
struct Dying {
    folder: Folder,
    left: AtomicUsize,
}

#[async_trait]
impl Objects for Dying {
    fn place(&self, name: &str) -> String {
        self.folder.place(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.folder.get(name).await
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        if self.left.load(Ordering::SeqCst) == 0 {
            return Err(Failure::lasting("writing", "the process is dead"));
        }
        self.left.fetch_sub(1, Ordering::SeqCst);
        self.folder.put(name, bytes, write).await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.folder.delete(name, write).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.folder.list(prefix).await
    }
}

fn module() -> ModuleAddress {
    "acme/network/aws".parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

async fn publish(
    catalogue: &Catalogue,
    number: &str,
    text: &str,
    takes_over: bool,
) -> Result<Published, CatalogueError> {
    let archive = archive(text);
    catalogue
        .publish(&Publication {
            module: &module(),
            version: &version(number),
            attestation: &attested(&archive, number),
            archive: &archive,
            at: 1_700_000_000,
            takes_over,
        })
        .await
}

fn in_folder() -> (tempfile::TempDir, Catalogue) {
    let root = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(Arc::new(Folder::new(root.path().to_owned())));
    (root, catalogue)
}

#[tokio::test]
async fn what_is_published_is_found() {
    let (root, catalogue) = in_folder();
    catalogue.prepare("/").await.unwrap();
    let published = publish(&catalogue, "1.0.0", "# one\n", false)
        .await
        .unwrap();
    let listing = catalogue.listing(&module()).await.unwrap().unwrap();
    assert_eq!(listing.versions, [published.listed]);
    assert_eq!(catalogue.modules().await.unwrap(), [module()]);
    let found = catalogue
        .archive(&module(), &version("1.0.0"))
        .await
        .unwrap()
        .unwrap();
    let opened = ModuleArchive::open(found.bytes.to_vec()).unwrap();
    assert_eq!(opened, archive("# one\n"));
    let statement = catalogue
        .statement(&module(), &version("1.0.0"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        Attestation::open(&statement.bytes)
            .unwrap()
            .is_about(&opened),
        Ok(())
    );
    let about = catalogue
        .about(&module(), &version("1.0.0"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(about.readme.as_deref(), Some("# A module\n"));
    let text =
        |name: &str| String::from_utf8(std::fs::read(root.path().join(name)).unwrap()).unwrap();
    assert_eq!(
        text(".well-known/terraform.json"),
        "{\"modules.v1\":\"/v1/modules/\"}\n"
    );
    let download = text("v1/modules/acme/network/aws/1.0.0/download");
    assert_eq!(
        download,
        format!(
            "{{\"location\":\"./module.zip?checksum=sha256:{}\"}}",
            opened.digest()
        )
    );
    assert!(text("_headers").contains("\n  X-Terraform-Get: ./module.zip\n"));
}

#[tokio::test]
async fn a_version_is_published_once() {
    let (_root, catalogue) = in_folder();
    publish(&catalogue, "1.0.0", "# one\n", false)
        .await
        .unwrap();
    for (text, takes_over) in [("# one\n", false), ("# two\n", false), ("# two\n", true)] {
        let error = publish(&catalogue, "1.0.0", text, takes_over)
            .await
            .unwrap_err();
        assert_eq!(error, already(&module(), &version("1.0.0")));
    }
    catalogue
        .yank(&module(), &version("1.0.0"), "")
        .await
        .unwrap();
    let error = publish(&catalogue, "1.0.0", "# two\n", true)
        .await
        .unwrap_err();
    assert_eq!(error, already(&module(), &version("1.0.0")));
    let found = catalogue
        .archive(&module(), &version("1.0.0"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*found.bytes, *archive("# one\n").bytes());
}

#[tokio::test]
async fn a_publication_that_dies_leaves_a_whole_version_or_none() {
    let mut finished = false;
    for writes in 0..20 {
        let root = tempfile::tempdir().unwrap();
        let dying = Catalogue::new(Arc::new(Dying {
            folder: Folder::new(root.path().to_owned()),
            left: AtomicUsize::new(writes),
        }));
        let outcome = publish(&dying, "1.0.0", "# one\n", false).await;
        let catalogue = Catalogue::new(Arc::new(Folder::new(root.path().to_owned())));
        let listing = catalogue.listing(&module()).await.unwrap();
        assert_eq!(listing.is_some(), outcome.is_ok(), "{writes} writes");
        if outcome.is_err() {
            let found = catalogue
                .archive(&module(), &version("1.0.0"))
                .await
                .unwrap();
            assert_eq!(found, None, "{writes} writes");
            if writes > 0 {
                let other = publish(&catalogue, "1.0.0", "# two\n", false).await;
                assert!(
                    matches!(other, Err(CatalogueError::Begun { .. })),
                    "{writes} writes"
                );
            }
            publish(&catalogue, "1.0.0", "# one\n", false)
                .await
                .unwrap();
        }
        let found = catalogue
            .archive(&module(), &version("1.0.0"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(*found.bytes, *archive("# one\n").bytes(), "{writes} writes");
        finished |= outcome.is_ok();
    }
    assert!(finished);
}

#[tokio::test]
async fn other_content_takes_over_what_broke_off_where_someone_says_so() {
    for writes in 1..5 {
        let root = tempfile::tempdir().unwrap();
        let dying = Catalogue::new(Arc::new(Dying {
            folder: Folder::new(root.path().to_owned()),
            left: AtomicUsize::new(writes),
        }));
        publish(&dying, "1.0.0", "# one\n", false)
            .await
            .unwrap_err();
        let catalogue = Catalogue::new(Arc::new(Folder::new(root.path().to_owned())));
        publish(&catalogue, "1.0.0", "# two\n", true).await.unwrap();
        let found = catalogue
            .archive(&module(), &version("1.0.0"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(*found.bytes, *archive("# two\n").bytes(), "{writes} writes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_at_once_one_publishes_a_version_and_none_is_lost() {
    let (_root, catalogue) = in_folder();
    let same = (0..6).map(|number| {
        let catalogue = catalogue.clone();
        tokio::spawn(async move {
            let text = format!("# content {number}\n");
            publish(&catalogue, "1.0.0", &text, false).await
        })
    });
    let others = (0..6).map(|number| {
        let catalogue = catalogue.clone();
        tokio::spawn(async move {
            let number = format!("2.0.{number}");
            publish(&catalogue, &number, "# other\n", false).await
        })
    });
    let same: Vec<_> = same.collect();
    let others: Vec<_> = others.collect();
    let mut winners = Vec::new();
    for task in same {
        winners.extend(task.await.unwrap());
    }
    for task in others {
        task.await.unwrap().unwrap();
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let listing = catalogue.listing(&module()).await.unwrap().unwrap();
    assert_eq!(listing.versions.len(), 7);
    let found = catalogue
        .archive(&module(), &version("1.0.0"))
        .await
        .unwrap()
        .unwrap();
    let found = ModuleArchive::open(found.bytes.to_vec()).unwrap();
    assert_eq!(winners[0].listed.digest.as_deref(), Some(found.digest()));
}

#[tokio::test]
async fn versions_are_taken_back_and_deprecated() {
    let (_root, catalogue) = in_folder();
    for number in ["1.0.0", "1.1.0"] {
        publish(&catalogue, number, "# one\n", false).await.unwrap();
    }
    let old = version("1.0.0");
    catalogue
        .yank(&module(), &old, "it deletes too much")
        .await
        .unwrap();
    let listing = catalogue.listing(&module()).await.unwrap().unwrap();
    assert_eq!(listing.versions.len(), 1);
    assert_eq!(listing.yanked(&old).unwrap().reason, "it deletes too much");
    assert!(catalogue.archive(&module(), &old).await.unwrap().is_some());
    let deprecation = Deprecation {
        reason: "use 2.0".to_owned(),
        link: None,
    };
    catalogue
        .deprecate(&module(), &old, Some(&deprecation))
        .await
        .unwrap();
    catalogue.restore(&module(), &old).await.unwrap();
    let listing = catalogue.listing(&module()).await.unwrap().unwrap();
    assert_eq!(listing.find(&old).unwrap().deprecation, Some(deprecation));
    assert!(listing.yanked.is_empty());
    let none = version("9.0.0");
    for outcome in [
        catalogue.yank(&module(), &none, "").await,
        catalogue.restore(&module(), &none).await,
        catalogue.deprecate(&module(), &none, None).await,
    ] {
        assert_eq!(outcome.unwrap_err(), no_version(&module(), &none));
    }
}

#[tokio::test]
async fn an_attestation_of_something_else_publishes_nothing() {
    let (_root, catalogue) = in_folder();
    let archive = archive("# one\n");
    let attestation = attested(&archive, "1.0.0");
    let error = catalogue
        .publish(&Publication {
            module: &module(),
            version: &version("1.0.1"),
            archive: &archive,
            attestation: &attestation,
            at: 0,
            takes_over: false,
        })
        .await
        .unwrap_err();
    assert!(matches!(error, CatalogueError::Refused(_)), "{error}");
    assert_eq!(catalogue.modules().await.unwrap(), []);
}
