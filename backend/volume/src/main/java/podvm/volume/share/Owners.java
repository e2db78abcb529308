package podvm.volume.share;

import podvm.linux.ErrnoException;
import podvm.linux.User;

/**
 * How user and group ids of the host and of the guest belong together. Root has them as they are.
 * An ordinary user can give files to nobody, so he stands for the guest's root, and all others are
 * nobody, as in a user namespace of one user.
 *
 * @param squashed whether only one user and one group count
 */
record Owners(boolean squashed, int user, int group) {
    /** What the kernel shows for ids that have no counterpart (/proc/sys/kernel/overflowuid). */
    private static final int NOBODY = 65_534;

    static Owners ofThisProcess() {
        return new Owners(!User.isRoot(), User.id(), User.group());
    }

    int shownUser(int uid) {
        return shown(uid, user);
    }

    int shownGroup(int gid) {
        return shown(gid, group);
    }

    private int shown(int id, int own) {
        if (!squashed) {
            return id;
        }
        return id == own ? 0 : NOBODY;
    }

    /** The host's id for a guest's; EPERM where there is none. */
    int hostUser(int uid) throws ErrnoException {
        return host(uid, user);
    }

    int hostGroup(int gid) throws ErrnoException {
        return host(gid, group);
    }

    private int host(int id, int own) throws ErrnoException {
        if (!squashed) {
            return id;
        }
        if (id != 0) {
            throw new ErrnoException(ErrnoException.EPERM);
        }
        return own;
    }
}
