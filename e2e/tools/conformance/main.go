// Runs critest against a runtime with stand-ins for the images it asks for, and tells what passed, what did not, and whether that
// is what is expected.
//
//	conformance -critest FILE -roots FOLDER -hosts FOLDER -socket FILE -expect FILE [-focus WORDS] [-websocket] RUNTIME WORDS...
//
// The runtime is started with the words given, and ended. Its registry configuration is -hosts/_default/hosts.toml, which is
// written before and leads every image to a registry on loopback. -expect has a line `passed N` and one for each spec that does not
// pass: its whole name, a tab, why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

type settings struct {
	critest, roots, hosts, socket, expect, focus, log string
	websocket                                         bool
	runtime                                           []string
}

func main() {
	var s settings
	flag.StringVar(&s.critest, "critest", "", "the built tests")
	flag.StringVar(&s.roots, "roots", "", "the layers of the images")
	flag.StringVar(&s.hosts, "hosts", "", "where the runtime looks for its registries' hosts.toml")
	flag.StringVar(&s.socket, "socket", "", "where the runtime serves CRI")
	flag.StringVar(&s.expect, "expect", "", "what does not pass, and why")
	flag.StringVar(&s.focus, "focus", "", "only specs whose name matches")
	flag.StringVar(&s.log, "log", "", "a folder for what critest and the runtime print")
	flag.BoolVar(&s.websocket, "websocket", false, "stream over WebSocket instead of SPDY")
	flag.Parse()
	s.runtime = flag.Args()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	asExpected, err := conformance(ctx, s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	if !asExpected {
		os.Exit(1)
	}
}

func conformance(ctx context.Context, s settings) (asExpected bool, err error) {
	expected, err := readExpected(s.expect)
	if err != nil {
		return false, err
	}
	registry, err := serveImages(s.roots)
	if err != nil {
		return false, err
	}
	defer registry.Close()
	if err := writeHosts(s.hosts, registry.address()); err != nil {
		return false, err
	}
	runtime, err := start(s, filepath.Join(s.log, "runtime.log"))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, runtime.end()) }()
	report, err := critest(ctx, s)
	if err := errors.Join(err, removeSandboxes(s.socket)); err != nil {
		return false, err
	}
	return verdict(os.Stdout, report, expected, s.focus != ""), nil
}

func writeHosts(folder, address string) error {
	folder = filepath.Join(folder, "_default")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	content := fmt.Sprintf("[host.\"http://%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", address)
	return os.WriteFile(filepath.Join(folder, "hosts.toml"), []byte(content), 0o644)
}

type process struct {
	command *exec.Cmd
	ended   chan error
}

// start returns when the runtime's socket answers.
func start(s settings, log string) (*process, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	command := exec.Command(s.runtime[0], s.runtime[1:]...)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command, make(chan error, 1)}
	go func() { p.ended <- command.Wait() }()
	for range 300 {
		if connection, err := net.Dial("unix", s.socket); err == nil {
			return p, connection.Close()
		}
		select {
		case err := <-p.ended:
			return nil, fmt.Errorf("the runtime has ended (%w); see %s", err, log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil, errors.Join(fmt.Errorf("the runtime does not serve %s; see %s", s.socket, log), p.end())
}

func (p *process) end() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the runtime did not end when told to: killed"), p.command.Process.Kill())
	}
}

// removeSandboxes ends what failed specs have left.
func removeSandboxes(socket string) error {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	runtime := runtimeapi.NewRuntimeServiceClient(connection)
	all, err := runtime.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	for _, sandbox := range all.Items {
		_, err := runtime.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: sandbox.Id})
		if err == nil {
			_, err = runtime.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: sandbox.Id})
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "conformance: pod sandbox %s is left: %v\n", sandbox.Id, err)
		}
	}
	return nil
}

// critest runs the tests; that some fail is no error here.
func critest(ctx context.Context, s settings) (string, error) {
	report := filepath.Join(s.log, "critest.json")
	if err := os.Remove(report); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	endpoint := "unix://" + s.socket
	words := []string{"-runtime-endpoint", endpoint, "-image-endpoint", endpoint, "-config", "/nonexistent",
		"-ginkgo.no-color", "-ginkgo.timeout", "3h", "-ginkgo.json-report", report}
	if s.focus != "" {
		words = append(words, "-ginkgo.focus", s.focus)
	}
	if s.websocket {
		words = append(words, "-websocket-exec", "-websocket-attach", "-websocket-portforward")
	}
	output, err := os.Create(filepath.Join(s.log, "critest.log"))
	if err != nil {
		return "", err
	}
	defer output.Close()
	command := exec.CommandContext(ctx, s.critest, words...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Stdout = io.MultiWriter(output, newProgress(os.Stderr))
	command.Stderr = output
	err = command.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return "", err
	}
	if _, err := os.Stat(report); err != nil {
		return "", fmt.Errorf("critest has written no report; see %s", output.Name())
	}
	return report, nil
}
