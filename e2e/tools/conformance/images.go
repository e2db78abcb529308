package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// standIn is an image that critest asks for: which host is asked does not count here, only the path.
type standIn struct {
	references []string
	layers     []string
	config     v1.Config
}

const staging = "k8s-staging-cri-tools/"

var shell = v1.Config{Cmd: []string{"sh"}}

func standIns() []standIn {
	images := []standIn{
		{[]string{"e2e-test-images/busybox:1.29-2"}, []string{"bb"}, shell},
		{[]string{"e2e-test-images/nginx:1.14-2"}, []string{"bb", "nginx"}, server("nginx", "-g", "daemon off;")},
		{[]string{"e2e-test-images/httpd:2.4.39-4"}, []string{"bb", "httpd"}, server("httpd", "-D", "FOREGROUND", "-f", "/etc/httpd.conf")},
		{[]string{staging + "hostnet-nginx-amd64:latest"}, []string{"bb", "nginx", "hostnet"}, server("nginx", "-g", "daemon off;")},
		{[]string{"e2e-test-images/nonewprivs:1.3"}, []string{"bb", "nnp"}, v1.Config{Entrypoint: []string{"/nnp"}}},
		{[]string{"pause:3.9"}, []string{"pause"}, v1.Config{Entrypoint: []string{"/pause"}}},
		{[]string{"pause:3.10.1"}, []string{"pause"}, v1.Config{Entrypoint: []string{"/pause"}, Labels: map[string]string{"of": "runtime"}}},
		{[]string{staging + "test-image-tags:1", staging + "test-image-tags:2", staging + "test-image-tags:3"}, []string{"bb"}, marked("tags")},
		{[]string{staging + "test-image-tag:test"}, []string{"bb"}, marked("tag-test")},
		{[]string{staging + "test-image-tag:all"}, []string{"bb"}, marked("tag-all")},
		{[]string{staging + "test-image-predefined-group:latest"}, []string{"bb", "group"}, v1.Config{Cmd: []string{"sh"}, User: "1000"}},
	}
	for _, which := range []string{"1", "2", "3", "latest"} {
		images = append(images, standIn{[]string{staging + "test-image-" + which + ":latest"}, []string{"bb"}, marked(which)})
	}
	for which, user := range map[string]string{
		"uid": "1002", "username": "www-data", "uid-group": "1003:1004", "username-group": "www-data:1004",
	} {
		images = append(images, standIn{[]string{staging + "test-image-user-" + which + ":latest"}, []string{"bb"},
			v1.Config{Cmd: []string{"sh"}, User: user}})
	}
	return images
}

func server(words ...string) v1.Config {
	return v1.Config{Cmd: words, ExposedPorts: map[string]struct{}{"80/tcp": {}}}
}

// marked makes an image whose id is its own.
func marked(which string) v1.Config {
	return v1.Config{Cmd: []string{"sh"}, Labels: map[string]string{"which": which}}
}

type images struct{ listener net.Listener }

func (i images) address() string { return i.listener.Addr().String() }

func (i images) Close() error { return i.listener.Close() }

// serveImages serves the stand-ins on a loopback port, from memory.
func serveImages(roots string) (images, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return images{}, err
	}
	served := images{listener}
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	go func() { _ = http.Serve(listener, registry.New(quiet)) }()
	for _, image := range standIns() {
		if err := served.put(roots, image); err != nil {
			return images{}, fmt.Errorf("%s: %w", image.references[0], err)
		}
	}
	return served, nil
}

func (i images) put(roots string, s standIn) error {
	image, err := s.image(roots)
	if err != nil {
		return err
	}
	list := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.DockerManifestList), mutate.IndexAddendum{
		Add:        image,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
	})
	for _, reference := range s.references {
		parsed, err := name.ParseReference(i.address()+"/"+reference, name.StrictValidation)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(parsed, list); err != nil {
			return err
		}
	}
	return nil
}

func (s standIn) image(roots string) (v1.Image, error) {
	var layers []v1.Layer
	for _, file := range s.layers {
		layer, err := tarball.LayerFromFile(filepath.Join(roots, file+".tar"))
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.DockerManifestSchema2), layers...)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", s.config
	file.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	return mutate.ConfigFile(image, file)
}
