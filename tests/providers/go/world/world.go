// Package world is what lies outside of the provider: the files of its directory.
package world

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Settings are the provider's configuration.
type Settings struct {
	Directory string
	Label     *string
}

// Event appends a line to the file of events, where there is a directory.
func (s *Settings) Event(line string) {
	if s == nil || s.Directory == "" {
		return
	}
	file, err := os.OpenFile(filepath.Join(s.Directory, "events"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}

// Read gives an object's content; nil where there is no such object.
func (s *Settings) Read(name string) (*string, error) {
	content, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text := string(content)
	return &text, nil
}

// Write stores an object.
func (s *Settings) Write(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(s.path(name), []byte(content), 0o644)
}

// Delete removes an object, if it is there.
func (s *Settings) Delete(name string) error {
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Settings) path(name string) string {
	return filepath.Join(s.Directory, "objects", name)
}
