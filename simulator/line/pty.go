package line

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/creack/pty" // maintained, no dependencies, the usual way to open a pseudo-terminal in Go
	"golang.org/x/sys/unix"
)

// ErrPlugged and ErrUnplugged say that a line is already in the wanted state.
var (
	ErrPlugged   = errors.New("the line is already plugged in")
	ErrUnplugged = errors.New("the line is already unplugged")
)

// Pty is a pump on a pseudo-terminal, reached by a symbolic link that stays the same.
type Pty struct {
	pace    Pace
	changed chan struct{} // one slot: plugged in anew

	mu     sync.Mutex // guards what follows
	link   string     // empty: only the device's own name
	master *os.File   // nil while unplugged
	slave  *os.File   // held, so that the line outlives a host that closes it
}

// OpenPty opens a pseudo-terminal in raw mode and points link at it. An existing symbolic
// link is replaced, anything else of that name is an error. Missing folders are made.
func OpenPty(link string, pace Pace) (*Pty, error) {
	p := &Pty{pace: pace, changed: make(chan struct{}, 1), link: link}
	if err := p.Plug(""); err != nil {
		return nil, err
	}
	return p, nil
}

// Address returns the name under which a host opens the line; the device's own when there is no link.
func (p *Pty) Address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link != "" || p.slave == nil {
		return p.link
	}
	return p.slave.Name()
}

// Plugged says whether the line is there.
func (p *Pty) Plugged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.master != nil
}

// Plug makes a new device and points the link at it; link, when not empty, is its new name.
func (p *Pty) Plug(link string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master != nil {
		return ErrPlugged
	}
	if link == "" {
		link = p.link
	}
	master, slave, err := pty.Open()
	if err != nil {
		return fmt.Errorf("open pseudo-terminal: %w", err)
	}
	if master, err = pollable(master); err != nil {
		return errors.Join(fmt.Errorf("open pseudo-terminal: %w", err), slave.Close())
	}
	if err := raw(slave); err != nil {
		return errors.Join(fmt.Errorf("set raw mode: %w", err), master.Close(), slave.Close())
	}
	if link != "" {
		if err := point(link, slave.Name()); err != nil {
			return errors.Join(err, master.Close(), slave.Close())
		}
	}
	p.master, p.slave, p.link = master, slave, link
	select {
	case p.changed <- struct{}{}:
	default:
	}
	return nil
}

// Unplug takes the device away: a host sees a hang-up, and the link is gone.
func (p *Pty) Unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return ErrUnplugged
	}
	var err error
	if target, _ := os.Readlink(p.link); p.link != "" && target == p.slave.Name() {
		err = os.Remove(p.link)
	}
	err = errors.Join(err, p.master.Close(), p.slave.Close())
	p.master, p.slave = nil, nil
	return err
}

// Run serves the pump whenever the line is plugged in, and unplugs it when ctx ends.
func (p *Pty) Run(ctx context.Context, pump Pump) error {
	for ctx.Err() == nil {
		p.mu.Lock()
		master, slave := p.master, p.slave
		p.mu.Unlock()
		if master != nil {
			serve(ctx, master, pump, p.pace, func() { share(slave) })
		}
		if ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-p.changed:
		}
	}
	if err := p.Unplug(); err != nil && !errors.Is(err, ErrUnplugged) {
		return fmt.Errorf("remove line: %w", err)
	}
	return nil
}

// share lifts the exclusive use that a host may have set. A real device forgets it with its
// last close; this one is held open, and would stay barred after a host was killed.
func share(slave *os.File) {
	if c, err := slave.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
	}
}

// pollable opens f anew for deadlines: opening a pseudo-terminal left it in blocking mode. f is closed.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(unix.SetNonblock(fd, true), f.Close()); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// raw switches off echo, line editing and every translation.
func raw(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var ioctlErr error
	err = c.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			ioctlErr = err
			return
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.CBAUD) | unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B9600
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		ioctlErr = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(err, ioctlErr)
}

// point makes link a symbolic link to target, replacing an older link at once.
func point(link, target string) error {
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return fmt.Errorf("folder of the link: %w", err)
	}
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s exists and is not a symbolic link: choose another link", link)
	}
	fresh := fmt.Sprintf("%s.%d.new", link, os.Getpid())
	if err := os.Symlink(target, fresh); err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return errors.Join(fmt.Errorf("set link: %w", err), os.Remove(fresh))
	}
	return nil
}
