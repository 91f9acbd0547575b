//! `archive_file`.
#![expect(clippy::disallowed_methods, reason = "the provider's work is files")]

use serde_json::{Value as Json, json};

use crate::support::{Driver, text};

fn packed(driver: &Driver, mut config: Json, kind: &str, directory: &std::path::Path) -> Vec<u8> {
    let path = directory.join(format!("out/archive.{kind}"));
    config["type"] = kind.into();
    config["output_path"] = json!(path);
    let read = driver
        .read_data("archive_file", &config.to_string())
        .unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(text(&read, "output_size"), bytes.len().to_string());
    assert_eq!(text(&read, "id"), text(&read, "output_sha"));
    assert_eq!(text(&read, "output_md5").len(), 32);
    bytes
}

fn names(zip: Vec<u8>) -> Vec<String> {
    let archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_directory_is_packed_the_same_each_time() {
    let driver = Driver::new("archive");
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source");
    std::fs::create_dir_all(source.join("deep/er")).unwrap();
    for name in ["b.txt", "a.txt", "deep/c.md", "deep/er/d.txt"] {
        std::fs::write(source.join(name), name).unwrap();
    }
    let config = json!({"source_dir": source, "excludes": ["**/*.md"]});
    for kind in ["zip", "tar.gz"] {
        let first = packed(&driver, config.clone(), kind, directory.path());
        std::thread::sleep(std::time::Duration::from_millis(5));
        let file = std::fs::File::open(source.join("a.txt")).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        let second = packed(&driver, config.clone(), kind, directory.path());
        assert!(first == second, "{kind} depends on more than its content");
    }
    let zip = packed(&driver, config, "zip", directory.path());
    assert_eq!(names(zip), ["a.txt", "b.txt", "deep/er/d.txt"]);
}

#[test]
fn content_comes_from_the_configuration() {
    let driver = Driver::new("archive");
    let directory = tempfile::tempdir().unwrap();
    let single = json!({"source_content": "x", "source_content_filename": "one/x"});
    let zip = packed(&driver, single, "zip", directory.path());
    assert_eq!(names(zip), ["one/x"]);
    let several = json!({"source": [
        {"filename": "b", "content": "2"},
        {"filename": "a", "content": "1"},
    ]});
    let zip = packed(&driver, several, "zip", directory.path());
    assert_eq!(names(zip), ["a", "b"]);
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("archive");
    let config = json!({"type": "zip", "output_path": "x"}).to_string();
    assert_eq!(
        driver.validate("archive_file", &config),
        [
            "Missing Attribute Configuration: At least one of these attributes must be configured: [source,source_content_filename,source_file,source_dir]"
        ]
    );
    let config = json!({"type": "zip", "output_path": "x", "source_file": "a", "source_dir": "b"});
    let told = driver.validate("archive_file", &config.to_string());
    assert!(
        told.contains(
            &"Invalid Attribute Combination: Attribute \"source_dir\" cannot be specified when \"source_file\" is specified".to_owned()
        ),
        "{told:?}"
    );
    let config = json!({"type": "rar", "output_path": "x", "source_content_filename": "a"});
    let told = driver
        .read_data("archive_file", &config.to_string())
        .unwrap_err();
    assert_eq!(
        told,
        ["Archive creation error: error creating archive: archive type not supported: rar"]
    );
}
