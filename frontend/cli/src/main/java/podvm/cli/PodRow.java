package podvm.cli;

import static com.google.protobuf.WireFormat.getTagFieldNumber;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import podvm.proto.node.v1.Container;
import podvm.proto.node.v1.ListPodsResponse;
import podvm.proto.node.v1.Pod;

/**
 * What podvm ps shows of a pod. Read from the bytes by field number, since the generated classes
 * first build descriptors of everything, which takes longer than the whole command otherwise.
 */
final class PodRow {
    String id = "";
    String namespace = "";
    String name = "";
    String phase = "";
    String reason = "";
    String ip = "";
    String manager = "";
    long created;
    int ready;
    int containers;
    int restarts;

    static List<PodRow> list(byte[] response) throws IOException {
        var rows = new ArrayList<PodRow>();
        var in = CodedInputStream.newInstance(response);
        for (var tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (getTagFieldNumber(tag) == ListPodsResponse.PODS_FIELD_NUMBER) {
                var row = new PodRow();
                var end = in.pushLimit(in.readRawVarint32());
                row.read(in);
                in.popLimit(end);
                rows.add(row);
            } else {
                in.skipField(tag);
            }
        }
        return rows;
    }

    private void read(CodedInputStream in) throws IOException {
        for (var tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (getTagFieldNumber(tag)) {
                case Pod.ID_FIELD_NUMBER -> id = in.readString();
                case Pod.NAMESPACE_FIELD_NUMBER -> namespace = in.readString();
                case Pod.NAME_FIELD_NUMBER -> name = in.readString();
                case Pod.PHASE_FIELD_NUMBER -> phase = in.readString();
                case Pod.REASON_FIELD_NUMBER -> reason = in.readString();
                case Pod.MANAGER_FIELD_NUMBER -> manager = in.readString();
                case Pod.CREATED_UNIX_NS_FIELD_NUMBER -> created = in.readInt64();
                case Pod.IPS_FIELD_NUMBER -> {
                    var next = in.readString();
                    ip = ip.isEmpty() ? next : ip;
                }
                case Pod.CONTAINERS_FIELD_NUMBER -> {
                    var end = in.pushLimit(in.readRawVarint32());
                    container(in);
                    in.popLimit(end);
                }
                default -> in.skipField(tag);
            }
        }
    }

    private void container(CodedInputStream in) throws IOException {
        var init = false;
        var state = "";
        var why = "";
        for (var tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (getTagFieldNumber(tag)) {
                case Container.INIT_FIELD_NUMBER -> init = in.readBool();
                case Container.STATE_FIELD_NUMBER -> state = in.readString();
                case Container.REASON_FIELD_NUMBER -> why = in.readString();
                case Container.RESTARTS_FIELD_NUMBER -> restarts += in.readInt32();
                default -> in.skipField(tag);
            }
        }
        if (!init) {
            containers++;
            ready += state.equals("running") ? 1 : 0;
        }
        // a container that cannot run tells more than its pod's phase
        if (state.equals("waiting") && !why.isEmpty() && reason.isEmpty()) {
            reason = why;
        }
    }

    String status() {
        return reason.isEmpty() || reason.equals("PodInitializing") ? phase : reason;
    }
}
